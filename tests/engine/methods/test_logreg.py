"""Bayesian logistic regression."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from synth_tasks.data import Kind
from synth_tasks.engine.methods.logreg import Logreg, newton_logit
from tests.engine.builders import category, fit, read_fixture

R = read_fixture("r_models.json")
TWO = category(2, Kind.BINARY)


def logreg(y: np.ndarray, x: np.ndarray) -> Logreg:
    fitted = fit("logreg", y, x, TWO)
    assert isinstance(fitted, Logreg)
    return fitted


@pytest.mark.parametrize("case", ["overlapping", "separated"])
def test_estimates_equal_those_of_glm_on_the_augmented_data(case: str) -> None:
    x, expected = np.array(R["x"]), R["logreg"][case]
    fitted = logreg(np.array(expected["y"]), x)
    design = fitted.design.with_intercept(x)
    np.testing.assert_allclose(
        expit(design @ fitted.coefficients), expected["probability"], atol=1e-5
    )
    error = np.linalg.norm(design @ fitted.root, axis=1)
    np.testing.assert_allclose(error, expected["std_error"], rtol=1e-4)


def test_known_coefficients_are_recovered() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((20_000, 2))
    y = rng.random(20_000) < expit(-0.5 + x @ [1.0, -0.7])
    fitted = logreg(y, x)
    expected = np.array([-0.5, 1.0, -0.7]) * [1, *fitted.design.scale]
    expected[0] += fitted.design.center @ [1.0, -0.7]
    error = np.linalg.norm(fitted.root, axis=1)
    assert (np.abs(fitted.coefficients - expected) < 4 * error).all()


def test_draws_have_the_predicted_probabilities() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((5000, 1))
    y = rng.random(5000) < expit(x[:, 0])
    fitted = logreg(y, x)
    draws = np.concatenate([fitted.draw(np.full((200, 1), 1.0), rng) for _ in range(100)])
    assert set(draws) == {0.0, 1.0}
    assert draws.mean() == pytest.approx(expit(1.0), abs=0.03)


def test_the_parameters_are_drawn_once_a_draw() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((30, 1))
    fitted = logreg(rng.random(30) < 0.5, x)
    shares = [fitted.draw(np.full((500, 1), 0.5), rng).mean() for _ in range(200)]
    assert np.std(shares) > 3 * np.sqrt(0.25 / 500)


def test_perfect_prediction_does_not_freeze_the_draws() -> None:
    x = np.linspace(-2, 2, 40)[:, None]
    fitted = logreg(x[:, 0] > 0, x)
    assert np.abs(fitted.coefficients).max() < 20
    rng = np.random.default_rng(4)
    near = np.concatenate([fitted.draw(np.full((20, 1), 0.1), rng) for _ in range(100)])
    assert 0.1 < near.mean() < 0.95


def test_a_category_nobody_has_is_not_drawn() -> None:
    rng = np.random.default_rng(5)
    for level in (0.0, 1.0):
        for x in (np.empty((6, 0)), np.arange(6.0)[:, None]):
            fitted = fit("logreg", np.full(6, level), x, TWO)
            assert all((fitted.draw(x, rng) == level).all() for _ in range(20))


def test_no_predictor_leaves_the_share() -> None:
    fitted = logreg(np.arange(1000) < 300, np.empty((1000, 0)))
    assert expit(fitted.coefficients[0]) == pytest.approx(0.3, abs=1e-6)


def test_newton_finds_the_maximum_from_afar() -> None:
    rng = np.random.default_rng(6)
    columns = np.column_stack([np.ones(500), 10 * rng.standard_normal(500)])
    y = rng.random(500) < expit(columns @ [-8.0, 3.0])
    beta, information = newton_logit(y, columns, np.ones(500))
    gradient = columns.T @ (y - expit(columns @ beta))
    assert np.abs(gradient).max() < 1e-3
    assert (np.linalg.eigvalsh(information) > 0).all()
