"""Random draws from the observed values."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.builders import fit


def test_every_observed_value_is_as_likely_whatever_the_predictors() -> None:
    y = np.array([1.0, 1.0, 2.0, 7.0])
    fitted = fit("sample", y, np.arange(4.0)[:, None])
    drawn = fitted.draw(np.zeros((40_000, 1)), np.random.default_rng(1))
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [1.0, 2.0, 7.0]
    assert counts / 40_000 == pytest.approx([0.5, 0.25, 0.25], abs=4.5 * np.sqrt(0.25 / 40_000))


def test_no_row_gives_no_draw() -> None:
    assert fit("sample", [1.0], np.empty((1, 0))).draw(
        np.empty((0, 0)), np.random.default_rng(0)
    ).shape == (0,)
