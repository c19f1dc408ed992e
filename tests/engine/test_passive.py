"""Passive variables: computed from others by a formula."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import Schema, VariableOverride, encode, infer_schema
from synth_tasks.engine.passive import (
    PassiveVariables,
    encode_result,
    evaluate_condition,
    evaluate_encoded,
)
from synth_tasks.errors import DataError, ExpressionError
from synth_tasks.expressions import Expression

FRAME = pd.DataFrame(
    {
        "hgt": [100.0, 180.0, 150.0],
        "wgt": [20.0, 70.0, 50.0],
        "bmi": [1.0, 2.0, 3.0],
        "obese": [False, True, False],
        "size": pd.Categorical(["S", "L", "M"], ["S", "M", "L"], ordered=True),
    }
)
SCHEMA: Schema = infer_schema(FRAME)
MATRIX = encode(FRAME, SCHEMA)
ALL = np.ones(3, dtype=bool)
CHAIN = {"bmi": "~ wgt / (hgt/100)^2", "obese": "~ bmi > 21", "size": "~ where(obese, 'L', 'S')"}


def test_passive_variables_are_ordered_by_their_inputs() -> None:
    reverse = dict(reversed(CHAIN.items()))
    assert PassiveVariables(reverse, SCHEMA).order == ["bmi", "obese", "size"]


def test_inputs_are_followed_through_other_passive_variables() -> None:
    passive = PassiveVariables(CHAIN, SCHEMA)
    assert passive.inputs("bmi") == {"wgt", "hgt"}
    assert passive.inputs("size") == {"obese", "bmi", "wgt", "hgt"}
    assert passive.affected_by("wgt") == ["bmi", "obese", "size"]
    assert passive.affected_by("obese") == ["size"]
    assert passive.affected_by("size") == []


def test_a_passive_variable_is_ready_when_all_inputs_are() -> None:
    passive = PassiveVariables(CHAIN, SCHEMA)
    assert passive.ready(["wgt"]) == []
    assert passive.ready(["wgt", "hgt"]) == ["bmi", "obese", "size"]
    assert passive.ready(["bmi"]) == ["obese", "size"]


def test_values_are_computed_unrounded() -> None:
    computed = PassiveVariables(CHAIN, SCHEMA).compute("bmi", MATRIX, np.array([False, True, True]))
    np.testing.assert_array_equal(computed, [70 / 1.8**2, 50 / 1.5**2])


def test_categories_are_read_and_written_as_labels() -> None:
    passive = PassiveVariables({"obese": "~ size == 'L'", "size": "~ 'M'"}, SCHEMA)
    assert passive.compute("obese", MATRIX, ALL).tolist() == [0.0, 1.0, 0.0]
    assert passive.compute("size", MATRIX, ALL).tolist() == [1.0, 1.0, 1.0]


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(ExpressionError, match="method of 'bmi': unknown column 'waist'"):
        PassiveVariables({"bmi": "~ wgt / waist"}, SCHEMA)


@pytest.mark.parametrize("formulas", [{"bmi": "~ bmi + 1"}, {"bmi": "~ wgt", "wgt": "~ bmi"}])
def test_a_circle_is_refused(formulas: dict[str, str]) -> None:
    with pytest.raises(ExpressionError, match="depend on each other in a circle"):
        PassiveVariables(formulas, SCHEMA)


def refusal(text: str, target: str, matrix: np.ndarray = MATRIX) -> str:
    with pytest.raises((DataError, ExpressionError)) as caught:
        PassiveVariables({target: text}, SCHEMA).compute(target, matrix, ALL)
    return str(caught.value)


def test_results_that_are_no_value_are_refused_with_their_number() -> None:
    assert refusal("~ log(wgt - 20)", "bmi") == (
        "method of 'bmi': the formula gives no finite number in 1 of 3 rows: "
        "guard it, e.g. with max() or where()"
    )
    assert "no finite number in 3 of 3 rows" in refusal("~ size", "bmi")
    assert "a value that is not one of the variable's categories in 2 of 3" in refusal(
        "~ where(wgt > 20, 'XL', 'S')", "size"
    )


@pytest.mark.parametrize("read", ["hgt", "size"])
def test_an_input_without_value_is_refused(read: str) -> None:
    matrix = MATRIX.copy()
    matrix[1, SCHEMA.position(read)] = np.nan
    assert f"'{read}' has no value in 1 of 3 rows" in refusal(
        f"~ where({read} == 1, 2, 3)", "bmi", matrix
    )


def test_a_single_number_serves_all_rows() -> None:
    expression = Expression("2 + 3")
    result = evaluate_encoded(expression, SCHEMA, MATRIX, ALL)
    assert encode_result(result, SCHEMA["bmi"], expression, 3).tolist() == [5.0, 5.0, 5.0]


# --- missing values that are data -----------------------------------------------------------------

KEPT = infer_schema(
    FRAME, {name: VariableOverride(keep_missing=True) for name in ("wgt", "bmi", "size")}
)
HOLED = MATRIX.copy()
HOLED[1, [1, 4]] = np.nan


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("wgt > 10", [True, False, True]),
        ("wgt <= 10", [False, False, False]),
        ("size == 'S'", [True, False, False]),
        ("hgt > 120", [False, True, True]),
        ("1 > 0", [True, True, True]),
    ],
)
def test_with_a_missing_value_no_comparison_holds(text: str, holds: list[bool]) -> None:
    assert evaluate_condition(Expression(text), KEPT, HOLED).tolist() == holds


def test_nor_does_one_of_difference() -> None:
    for text in ("wgt != 20", "size != 'S'"):
        assert evaluate_condition(Expression(text), KEPT, HOLED).tolist() == [False, False, True]


def test_a_missing_input_that_is_kept_gives_a_missing_result_that_is_kept() -> None:
    computed = PassiveVariables({"bmi": "~ wgt / 10"}, KEPT).compute("bmi", HOLED, ALL)
    np.testing.assert_array_equal(computed, [2, np.nan, 5])


def test_a_result_must_have_a_value_where_missing_ones_are_not_kept() -> None:
    passive = PassiveVariables({"hgt": "~ wgt * 2"}, KEPT)
    with pytest.raises(
        DataError, match="method of 'hgt': the formula gives no finite number in 1 of"
    ):
        passive.compute("hgt", HOLED, ALL)


def test_a_missing_label_is_kept_too() -> None:
    expression = Expression("where(hgt > 120, size, 'S')")
    result = evaluate_encoded(expression, KEPT, HOLED, ALL)
    encoded = encode_result(result, KEPT["size"], expression, 3)
    np.testing.assert_array_equal(encoded, [0, np.nan, 1])
    with pytest.raises(DataError, match="not one of the variable's categories in 1 of 3 rows"):
        encode_result(result, SCHEMA["size"], expression, 3)
