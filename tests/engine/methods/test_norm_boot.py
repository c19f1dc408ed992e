"""Linear regression on bootstrap samples."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.builders import fit


def test_the_mean_of_a_draw_varies_as_the_mean_of_bootstrap_samples() -> None:
    rng = np.random.default_rng(1)
    y = rng.standard_normal(40)
    fitted = fit("norm.boot", y, np.empty((40, 0)))
    means = np.array([fitted.draw(np.empty((3000, 0)), rng).mean() for _ in range(600)])
    expected = np.sqrt(y.var() / 40 + y.var() / 3000)
    assert means.mean() == pytest.approx(y.mean(), abs=4 * expected / np.sqrt(600))
    assert means.std() == pytest.approx(expected, rel=4 / np.sqrt(2 * 600))


def test_a_regression_is_recovered() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((400, 1))
    y = 2 + 3 * x[:, 0] + rng.standard_normal(400)
    new = rng.standard_normal((4000, 1))
    slope, intercept = np.polyfit(new[:, 0], fit("norm.boot", y, x).draw(new, rng), 1)
    assert slope == pytest.approx(3, abs=0.25)
    assert intercept == pytest.approx(2, abs=0.25)
