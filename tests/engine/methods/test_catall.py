"""Saturated model of categories with a prior."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from synth_tasks.engine.methods import catall  # noqa: F401  (registers the method)
from synth_tasks.engine.registry import check_suits
from synth_tasks.errors import PlanError
from tests.engine.builders import category, fit, number

SHAPE = (2, 3, 2)
VARIABLES = [category(n, name=f"v{n}{i}") for i, n in enumerate(SHAPE)]
COUNTS = np.array([[[8, 0], [3, 1], [0, 0]], [[2, 2], [0, 5], [0, 9]]])
ROWS = np.repeat(np.array(list(product(*map(range, SHAPE)))), COUNTS.ravel(), axis=0)
PRIOR = 6.0


def test_variables_drawn_one_after_the_other_follow_the_smoothed_table() -> None:
    rng = np.random.default_rng(1)
    n = 60_000
    drawn = np.empty((n, 0))
    for j, target in enumerate(VARIABLES):
        fitted = fit("catall", ROWS[:, j], ROWS[:, :j], target, VARIABLES[:j], prior=PRIOR)
        drawn = np.column_stack([drawn, fitted.draw(drawn, rng)])
    cells = np.ravel_multi_index(drawn.astype(int).T, SHAPE)
    shares = np.bincount(cells, minlength=12) / n
    expected = (COUNTS.ravel() + PRIOR / 12) / (COUNTS.sum() + PRIOR)
    error = np.sqrt(expected * (1 - expected) / n)
    assert (np.abs(shares - expected) < 4 * error).all()


def test_the_conditional_probabilities_of_a_cell_are_those_stated() -> None:
    fitted = fit("catall", ROWS[:, 2], ROWS[:, :2], VARIABLES[2], VARIABLES[:2], prior=PRIOR)
    n = 40_000
    at = np.repeat([[0, 1], [0, 2]], n, axis=0)
    seen, unseen = fitted.draw(at, np.random.default_rng(2)).reshape(2, n).mean(axis=1)
    # Three rows and one, and half an imaginary row each; no rows at all leave the prior alone.
    assert seen == pytest.approx(1.5 / 5, abs=4 * np.sqrt(0.21 / n))
    assert unseen == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / n))


def test_a_small_prior_leaves_the_observed_shares() -> None:
    fitted = fit("catall", ROWS[:, 2], ROWS[:, :2], VARIABLES[2], VARIABLES[:2], prior=1e-9)
    drawn = fitted.draw(np.repeat([[0, 0], [1, 2]], 500, axis=0), np.random.default_rng(3))
    assert drawn.tolist() == [0.0] * 500 + [1.0] * 500


def test_a_declared_category_that_no_row_has_can_be_drawn() -> None:
    fitted = fit("catall", np.zeros(5), np.empty((5, 0)), category(3), prior=3.0)
    drawn = fitted.draw(np.empty((40_000, 0)), np.random.default_rng(4)).astype(int)
    np.testing.assert_allclose(np.bincount(drawn) / 40_000, [6 / 8, 1 / 8, 1 / 8], atol=0.009)


def test_numeric_predictors_and_targets_are_refused() -> None:
    with pytest.raises(PlanError, match=r"method 'catall' of 'y' needs categorical.*set age to 0"):
        fit("catall", np.array([0, 1]), np.zeros((2, 1)), category(2), [number("age")])
    with pytest.raises(PlanError, match="method 'catall' cannot be used for the numeric"):
        check_suits("catall", number())


def test_a_table_beyond_the_limit_is_refused() -> None:
    many = [category(100, name=f"x{i}") for i in range(4)]
    with pytest.raises(PlanError, match="more than 100000000 cells"):
        fit("catall", np.array([0, 1]), np.zeros((2, 4)), category(2), many)


@pytest.mark.parametrize("prior", [0, -1.0, float("nan"), float("inf"), "one"])
def test_the_prior_is_a_positive_number(prior: object) -> None:
    with pytest.raises(PlanError, match=r"method_options.catall.prior must be greater than 0"):
        fit("catall", np.array([0, 1]), np.empty((2, 0)), category(2), prior=prior)
