"""Fitting the method of one variable, and the values drawn for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import VariableOverride, encode, infer_schema
from synth_tasks.engine.fitting import (
    FittedVariable,
    bootstrap,
    draw_values,
    draws_parameters,
    fit_variable,
    method_of_state,
    training_rows,
)
from synth_tasks.engine.parts import Parts
from synth_tasks.engine.plan import ImputationPlan
from synth_tasks.engine.planning import make_plan
from synth_tasks.engine.predictors import PlainColumns
from synth_tasks.errors import DataError, PlanError

FRAME = pd.DataFrame({"a": [1.5, 2.0, 3.0, 4.0], "b": [10, 20, 30, 40], "g": ["u", "v", "u", "v"]})
SCHEMA = infer_schema(FRAME)
MATRIX = encode(FRAME, SCHEMA)
ROWS = np.array([True, False, True, True])


@dataclass(frozen=True)
class Fixed:
    values: object

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.asarray(self.values)


def plan(**settings: Any) -> ImputationPlan:
    settings = {"method": "sample", "where": "all"} | settings
    return make_plan(SCHEMA, np.isnan(MATRIX), **settings)


def drawn(values: object, name: str = "a", **settings: Any) -> list[float]:
    columns = PlainColumns.learn(SCHEMA, [], MATRIX, ROWS)
    fitted = FittedVariable(name, columns, Fixed(values))
    rng = np.random.default_rng(0)
    return draw_values(plan(**settings), fitted, MATRIX, MATRIX, ROWS, [rng]).tolist()


def test_rows_may_be_repeated_for_a_bootstrap_sample() -> None:
    fitted = fit_variable(plan(), "a", ["b"], MATRIX, np.array([1, 1, 3]), print)
    rng = np.random.default_rng(0)
    values = [v for _ in range(50) for v in fitted.draw(MATRIX, ROWS, [rng])]
    assert set(values) == {2.0, 4.0}


def test_values_are_rounded_as_the_variable() -> None:
    assert drawn([1.26, 2.0, 3.94]) == [1.3, 2.0, 3.9]
    assert drawn([1.26, 2.6, 3.94], "b") == [1.0, 3.0, 4.0]


def test_post_processing_sees_the_drawn_values_and_the_other_columns() -> None:
    assert drawn([0.0, 2.0, 9.0], post={"a": "clip(a, 1, 5)"}) == [1.0, 2.0, 5.0]
    post = {"a": "where(g == 'u', b, a)"}
    order = ["g", "b", "a"]
    assert drawn([0.0, 2.0, 9.0], post=post, visit_sequence=order) == [10.0, 30.0, 9.0]


def test_post_processing_may_set_categories() -> None:
    assert drawn([0.0, 0.0, 1.0], "g", post={"g": "where(a > 2, 'v', g)"}) == [0.0, 1.0, 1.0]


def test_post_processing_must_give_values() -> None:
    with pytest.raises(
        DataError, match="post of 'a': the formula gives no finite number in 3 of 3"
    ):
        drawn([0.0, 2.0, 9.0], post={"a": "log(a - 100)"})


def test_a_method_must_give_as_many_values_as_there_are_rows() -> None:
    with pytest.raises(PlanError, match="method 'sample' gave 2 values for 3 rows of 'a'"):
        drawn([1.0, 2.0])


@pytest.mark.parametrize("values", [[1.0, np.nan, 2.0], [1.0, np.inf, 2.0]])
def test_a_method_must_give_a_finite_value_for_every_row(values: list[float]) -> None:
    with pytest.raises(PlanError, match="method 'sample' gave missing or infinite values for 'a'"):
        drawn(values)


# --- training rows --------------------------------------------------------------------------------


def test_training_rows_are_observed_not_ignored_and_free() -> None:
    p = plan(
        ignore=[False, False, False, True],
        rules={"a": {"b < 15": 1.5}},
        visit_sequence=["b", "g", "a"],
    )
    observed = np.array([True, True, False, True])
    assert training_rows(p, "a", MATRIX, observed).tolist() == [False, True, False, False]
    assert training_rows(p, "b", MATRIX, observed).tolist() == [True, True, False, False]


def test_where_a_rule_leaves_no_freedom_all_rows_are_learnt_from() -> None:
    p = plan(rules={"a": {"b > 0": 1.5}}, visit_sequence=["b", "g", "a"])
    assert training_rows(p, "a", MATRIX, ROWS).tolist() == ROWS.tolist()


def test_a_bootstrap_sample_has_as_many_rows_of_those_marked() -> None:
    sample = bootstrap(ROWS, np.random.default_rng(0))
    assert len(sample) == 3
    assert set(sample) <= {0, 2, 3}


def test_rules_set_values_instead_of_drawing_them() -> None:
    order = ["b", "g", "a"]
    rules = {"a": {"b == 10": 9.0}}
    assert drawn([2.0, 3.0], rules=rules, visit_sequence=order) == [9.0, 2.0, 3.0]
    every = {"a": {"b > 0": 9.0}}
    assert drawn([], rules=every, visit_sequence=order) == [9.0, 9.0, 9.0]


# --- parts ----------------------------------------------------------------------------------------


def parted(method: str) -> tuple[ImputationPlan, np.ndarray]:
    schema = infer_schema(FRAME, {"a": VariableOverride(spikes=(1.5, 2.0))})
    return make_plan(schema, np.isnan(MATRIX), method={"a": method}, where="all"), MATRIX


@pytest.mark.parametrize(
    ("method", "of_state"), [("cart", "cart"), ("sample", "sample"), ("norm", "polyreg")]
)
def test_the_state_is_drawn_by_a_method_that_can(method: str, of_state: str) -> None:
    p, _ = parted(method)
    assert method_of_state(method, Parts(p.schema["a"])) == of_state


def test_both_parts_must_draw_their_parameters() -> None:
    assert draws_parameters(plan(method={"a": "norm"}), "a")
    # polyreg, which draws the state, does not.
    assert not draws_parameters(parted("norm")[0], "a")
    assert not draws_parameters(parted("cart")[0], "a")


def test_one_ordinary_value_is_enough_and_said() -> None:
    schema = infer_schema(FRAME, {"a": VariableOverride(spikes=(1.5, 2.0, 3.0))})
    p = make_plan(schema, np.isnan(MATRIX), method="cart", where="all")
    log: list[str] = []
    fitted = fit_variable(p, "a", ["b"], MATRIX, np.ones(4, dtype=bool), log.append)
    assert log == ["has one value only where it is learnt"]
    values = fitted.draw(MATRIX, np.ones(4, dtype=bool), [np.random.default_rng(0)])
    assert set(values) <= {1.5, 2.0, 3.0, 4.0}
