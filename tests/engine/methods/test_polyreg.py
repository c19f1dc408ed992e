"""Multinomial logistic regression."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.data import Kind
from synth_tasks.engine.categories import OneLevel
from synth_tasks.engine.methods.polyreg import Polyreg
from tests.engine.builders import category, fit, read_fixture

R = read_fixture("r_models.json")


def polyreg(y: np.ndarray, x: np.ndarray, n_levels: int) -> Polyreg:
    fitted = fit("polyreg", y, x, category(n_levels))
    assert isinstance(fitted, Polyreg)
    return fitted


@pytest.mark.parametrize(("case", "outcome"), [("overlapping", "three"), ("separated", "steps")])
def test_probabilities_equal_those_of_multinom_on_the_augmented_data(
    case: str, outcome: str
) -> None:
    x, y = np.array(R["x"]), np.array(R[outcome]) - 1
    fitted = polyreg(y, x, 3)
    probabilities = fitted.model.predict_proba(fitted.design.matrix(x))
    np.testing.assert_allclose(probabilities, R["polyreg"][case], atol=2e-3)


def test_known_probabilities_are_recovered() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((20_000, 1))
    scores = np.column_stack([np.zeros(20_000), 0.5 + x[:, 0], -0.5 - x[:, 0]])
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    y = (rng.random((20_000, 1)) > p.cumsum(axis=1)).sum(axis=1)
    at = np.full((20_000, 1), 0.7)
    drawn = polyreg(y, x, 3).draw(at, rng)
    expected = np.exp([0.0, 1.2, -1.2]) / np.exp([0.0, 1.2, -1.2]).sum()
    np.testing.assert_allclose(np.bincount(drawn.astype(int)) / 20_000, expected, atol=0.025)


def test_codes_of_absent_categories_are_skipped() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((60, 1))
    y = np.array([1.0, 4.0])[(x[:, 0] > 0).astype(int)]
    assert set(polyreg(y, x, 6).draw(x, rng)) <= {1.0, 4.0}


def test_one_category_is_drawn_for_all() -> None:
    fitted = fit("polyreg", np.full(5, 2.0), np.arange(5.0)[:, None], category(3))
    assert isinstance(fitted, OneLevel)
    assert fitted.draw(np.zeros((3, 1)), np.random.default_rng(0)).tolist() == [2.0, 2.0, 2.0]


def test_no_predictor_leaves_the_margin() -> None:
    y = np.repeat([0, 1, 2], [100, 300, 600])
    drawn = polyreg(y, np.empty((1000, 0)), 3).draw(np.empty((30_000, 0)), np.random.default_rng(3))
    np.testing.assert_allclose(np.bincount(drawn.astype(int)) / 30_000, [0.1, 0.3, 0.6], atol=0.015)


@pytest.mark.parametrize("kind", [Kind.BINARY, Kind.BOOLEAN])
def test_two_categories_will_do(kind: Kind) -> None:
    rng = np.random.default_rng(4)
    x = rng.standard_normal((400, 1))
    y = x[:, 0] + rng.logistic(size=400) > 0
    drawn = fit("polyreg", y, x, category(2, kind)).draw(x, rng)
    assert drawn[x[:, 0] > 1].mean() > drawn[x[:, 0] < -1].mean() + 0.3
