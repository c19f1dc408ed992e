"""Linear regression at its estimates."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.builders import fit


def test_draws_vary_around_the_least_squares_fit_by_the_residual_deviation() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((30, 2))
    y = 1 + x @ [2.0, -1.0] + rng.standard_normal(30)
    new, repeats = np.array([[1.0, 1.0]]), 8000
    drawn = fit("norm.nob", y, x).draw(np.repeat(new, repeats, axis=0), rng)

    design = np.column_stack([np.ones(30), x])
    beta, rss, *_ = np.linalg.lstsq(design, y, rcond=None)
    variance = rss[0] / 27
    error = np.sqrt(variance / repeats)
    assert drawn.mean() == pytest.approx(np.array([1.0, 1.0, 1.0]) @ beta, abs=4 * error + 1e-4)
    assert drawn.var() == pytest.approx(variance, abs=4 * variance * np.sqrt(2 / repeats))


def test_the_parameters_are_the_same_in_every_draw() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((10, 1))
    fitted = fit("norm.nob", x[:, 0] + rng.standard_normal(10), x)
    means = np.array([fitted.draw(np.zeros((2000, 1)), rng).mean() for _ in range(200)])
    # With drawn parameters the means would vary by about sqrt(1/10).
    assert means.std() < 0.05
