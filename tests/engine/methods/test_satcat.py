"""Saturated model of categories."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.engine.methods import satcat  # noqa: F401  (registers the method)
from synth_tasks.errors import PlanError
from tests.engine.builders import category, fit, number

A, B = category(2, name="a"), category(3, name="b")


def test_a_category_comes_from_the_rows_with_the_same_predictors() -> None:
    x = np.array([[0, 0]] * 4 + [[0, 1]] * 2 + [[1, 2]])
    fitted = fit("satcat", np.array([0, 0, 0, 1, 2, 2, 3]), x, category(4), [A, B])
    n = 4000
    drawn = fitted.draw(np.repeat([[0, 0], [0, 1], [1, 2]], n, axis=0), np.random.default_rng(1))
    first, second, third = drawn.reshape(3, n)
    # Standard error of a share of 1/4: 0.007.
    assert np.mean(first == 1) == pytest.approx(0.25, abs=4 * np.sqrt(3 / 16 / n))
    assert set(first) == {0.0, 1.0}
    assert (second == 2).all()
    assert (third == 3).all()


def test_a_combination_without_rows_drops_its_last_predictors_and_that_is_logged() -> None:
    log: list[str] = []
    x = np.array([[0, 0], [0, 1], [2, 0]])
    three = category(3, name="a")
    fitted = fit("satcat", np.array([0, 1, 2]), x, category(3), [three, B], log)
    drawn = fitted.draw(np.repeat([[0, 2], [2, 1], [1, 0]], 200, axis=0), np.random.default_rng(2))
    without_b, only_two, everyone = drawn.reshape(3, 200)
    assert set(without_b) == {0.0, 1.0}
    assert set(only_two) == {2.0}
    assert set(everyone) == {0.0, 1.0, 2.0}
    assert log == [
        "6 of 9 combinations of the predictors have no rows: they draw without the last predictors"
    ]


def test_nothing_is_logged_where_every_combination_has_rows() -> None:
    log: list[str] = []
    fit("satcat", np.array([0, 1]), np.array([[0], [1]]), category(2), [A], log)
    assert log == []


def test_no_predictor_leaves_the_margin() -> None:
    y = np.repeat([0, 1, 2], [1, 3, 6])
    fitted = fit("satcat", y, np.empty((10, 0)), category(3))
    drawn = fitted.draw(np.empty((30_000, 0)), np.random.default_rng(3)).astype(int)
    np.testing.assert_allclose(np.bincount(drawn) / 30_000, [0.1, 0.3, 0.6], atol=0.012)


def test_numeric_predictors_are_refused() -> None:
    with pytest.raises(PlanError, match=r"method 'satcat' of 'y' needs categorical.*set age to 0"):
        fit("satcat", np.array([0, 1]), np.zeros((2, 1)), category(2), [number("age")])
