"""Logistic regression on bootstrap samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from synth_tasks.data import Kind
from tests.engine.builders import category, fit

TWO = category(2, Kind.BINARY)


def test_probabilities_are_recovered() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((4000, 1))
    y = (rng.random(4000) < expit(-0.5 + 1.5 * x[:, 0])).astype(float)
    fitted = fit("logreg.boot", y, x, target=TWO)
    for at in (-1.0, 0.0, 1.0):
        shares = [fitted.draw(np.full((500, 1), at), rng).mean() for _ in range(40)]
        assert np.mean(shares) == pytest.approx(expit(-0.5 + 1.5 * at), abs=0.04)


def test_every_draw_has_its_own_parameters() -> None:
    rng = np.random.default_rng(2)
    y = np.repeat([0.0, 1.0], 10)
    fitted = fit("logreg.boot", y, np.empty((20, 0)), target=TWO)
    shares = np.array([fitted.draw(np.empty((5000, 0)), rng).mean() for _ in range(300)])
    assert shares.std() == pytest.approx(np.sqrt(0.25 / 20), rel=0.25)


def test_a_bootstrap_sample_of_one_category_gives_that_category() -> None:
    rng = np.random.default_rng(3)
    fitted = fit("logreg.boot", np.array([0.0, 1.0]), np.empty((2, 0)), target=TWO)
    means = {fitted.draw(np.empty((50, 0)), rng).mean() for _ in range(40)}
    assert {0.0, 1.0} <= means
