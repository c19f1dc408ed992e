"""Bayesian linear regression: the posterior of its parameters."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.data import Kind
from synth_tasks.engine.linear import LinearModel, fit_linear
from tests.engine.builders import category, context, number, numbers


def model(y: np.ndarray, x: np.ndarray, log: list[str] | None = None) -> LinearModel:
    return fit_linear(y, x, context("norm", number(), numbers(x.shape[1]), log))


def data(n_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_rows, 3)) * [1.0, 100.0, 0.001] + [0.0, 1e6, 5.0]
    y = x @ [1.0, 0.02, 1500.0] + rng.standard_normal(n_rows)
    return y, x


def test_predictions_are_those_of_least_squares() -> None:
    y, x = data(80, seed=1)
    design = np.column_stack([np.ones(80), x - x.mean(axis=0)])
    expected = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    # The ridge moves them by a hundred-thousandth of the effect.
    np.testing.assert_allclose(model(y, x).predict(x), expected, atol=2e-4)


def test_the_posterior_has_the_moments_of_the_textbook() -> None:
    y, x = data(40, seed=2)
    fitted = model(y, x)
    rng, repeats = np.random.default_rng(3), 6000
    drawn = [fitted.draw_parameters(rng) for _ in range(repeats)]
    beta = np.array([b for b, _ in drawn])
    sigma2 = np.array([s for _, s in drawn]) ** 2

    df = 40 - 4
    assert fitted.df == df
    # rss / chi²(df) has mean rss / (df - 2) and variance 2 mean² / (df - 4).
    mean = fitted.rss / (df - 2)
    assert sigma2.mean() == pytest.approx(mean, abs=4 * mean * np.sqrt(2 / (df - 4) / repeats))
    design = fitted.design.with_intercept(x)
    covariance = mean * np.linalg.inv(design.T @ design)
    error = np.sqrt(np.diag(covariance) / repeats)
    assert (np.abs(beta.mean(axis=0) - fitted.coefficients) < 4 * error).all()
    spread = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    assert (np.abs(np.cov(beta.T) - covariance) < 0.08 * spread).all()


def test_units_do_not_matter() -> None:
    y, x = data(50, seed=4)
    small, large = model(y, x), model(y * 1e-6, x * [1e-9, 1e9, 1.0])
    np.testing.assert_allclose(large.coefficients, small.coefficients * 1e-6, rtol=1e-6)


def test_more_parameters_than_rows_are_logged() -> None:
    log: list[str] = []
    fitted = model(np.array([1.0, 2.0]), np.array([[1.0, 5.0], [2.0, 3.0]]), log)
    assert fitted.df == 1
    assert "df set to 1: 2 rows for 2 parameters" in log
    assert "predictors that do not vary, or follow from others: x1" in log
    assert np.isfinite(fitted.draw_parameters(np.random.default_rng(0))[0]).all()


def test_no_predictor_leaves_the_mean() -> None:
    fitted = model(np.array([1.0, 2.0, 6.0]), np.empty((3, 0)))
    assert fitted.predict(np.empty((2, 0))).tolist() == [3.0, 3.0]


def test_categories_may_predict() -> None:
    x = np.array([[0.0], [1.0], [2.0]] * 20)
    y = np.array([5.0, 1.0, 9.0] * 20)
    for kind in (Kind.NOMINAL, Kind.ORDINAL):
        told = context("norm", number(), [category(3, kind, "g")])
        np.testing.assert_allclose(fit_linear(y, x, told).predict(x[:3]), [5, 1, 9], atol=1e-3)
