"""Bayesian linear regression with normal residuals."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.builders import fit


def test_draws_follow_the_posterior_predictive_distribution() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((25, 2))
    y = 1 + x @ [2.0, -1.0] + rng.standard_normal(25)
    fitted = fit("norm", y, x)
    new, repeats = np.array([[1.0, 1.0]]), 8000
    drawn = np.array([fitted.draw(new, rng)[0] for _ in range(repeats)])

    design = np.column_stack([np.ones(25), x])
    beta, rss, *_ = np.linalg.lstsq(design, y, rcond=None)
    at, df = np.array([1.0, 1.0, 1.0]), 25 - 3
    leverage = at @ np.linalg.inv(design.T @ design) @ at
    variance = rss[0] / (df - 2) * (1 + leverage)
    assert drawn.mean() == pytest.approx(at @ beta, abs=4 * np.sqrt(variance / repeats) + 1e-4)
    kurtosis = 3 + 6 / (df - 4)
    assert drawn.var() == pytest.approx(
        variance, abs=4 * variance * np.sqrt((kurtosis - 1) / repeats)
    )


def test_rows_of_one_draw_share_their_parameters() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((10, 1))
    fitted = fit("norm", x[:, 0] + rng.standard_normal(10), x)
    means = np.array([fitted.draw(np.zeros((2000, 1)), rng).mean() for _ in range(400)])
    # Were the parameters drawn row by row, the mean of 2000 draws would hardly vary.
    assert means.std() == pytest.approx(np.sqrt(0.1), rel=0.5)


def test_a_regression_is_recovered() -> None:
    rng = np.random.default_rng(3)
    estimates = []
    for _ in range(200):
        x = rng.standard_normal((100, 1))
        y = 2 + 3 * x[:, 0] + rng.standard_normal(100)
        new = rng.standard_normal((100, 1))
        drawn = fit("norm", y, x).draw(new, rng)
        slope, intercept = np.polyfit(new[:, 0], drawn, 1)
        residual = drawn - intercept - slope * new[:, 0]
        estimates.append([intercept, slope, residual.var(ddof=2)])
    error = np.std(estimates, axis=0) / np.sqrt(200)
    assert (np.abs(np.mean(estimates, axis=0) - [2.0, 3.0, 1.0]) < 4 * error + 0.02).all()


def test_a_constant_stays_constant() -> None:
    drawn = fit("norm", np.full(10, 4.0), np.arange(10.0)[:, None]).draw(
        np.arange(5.0)[:, None], np.random.default_rng(0)
    )
    np.testing.assert_allclose(drawn, 4.0, atol=1e-10)
