"""Draws within groups."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.errors import PlanError
from tests.engine.builders import category, fit, number

GROUP = category(3, name="g")


def test_values_come_from_the_own_group() -> None:
    y, group = np.array([1.0, 2.0, 10.0, 20.0, 30.0]), np.array([0, 0, 1, 1, 1])
    fitted = fit("nested", y, group[:, None], predictors=[GROUP])
    drawn = fitted.draw(np.array([[0], [1]] * 600), np.random.default_rng(1))
    assert set(drawn[::2]) == {1.0, 2.0}
    assert set(drawn[1::2]) == {10.0, 20.0, 30.0}


def test_a_group_without_values_draws_from_all_and_that_is_logged() -> None:
    log: list[str] = []
    fitted = fit("nested", np.array([1.0, 5.0]), np.array([[0], [1]]), predictors=[GROUP], log=log)
    drawn = fitted.draw(np.full((200, 1), 2), np.random.default_rng(2))
    assert set(drawn) == {1.0, 5.0}
    assert log == ["1 group(s) of 'g' have no value: they draw from all"]


def test_the_group_is_named_where_there_are_several_predictors() -> None:
    x = np.array([[0.1, 0], [0.2, 1]])
    predictors = [number("x"), GROUP]
    fitted = fit("nested", np.array([1.0, 5.0]), x, predictors=predictors, within="g")
    assert fitted.draw(np.array([[0.5, 1]]), np.random.default_rng(3)) == [5.0]
    for within in (None, "x", "nobody"):
        with pytest.raises(PlanError, match="within must name one of its categorical predictors"):
            fit("nested", np.array([1.0, 5.0]), x, predictors=predictors, within=within)
