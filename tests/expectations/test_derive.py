"""Suites made from any schema, and the distance of computed variables from their formulas."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from expectations.derive import add_residuals, completed_suite, source_suite, synthetic_suite
from expectations.suites import check_suite, run_suite
from synth_tasks.data import Kind, VariableOverride, decode, encode, infer_schema
from synth_tasks.engine.passive import PassiveVariables
from tests.frames import frames
from tests.release.builders import BMI, make_people

PEOPLE = make_people().dropna().reset_index(drop=True)
OVERRIDES = {
    "stage": VariableOverride(Kind.ORDINAL, ("low", "mid", "high")),
    "children": VariableOverride(Kind.NOMINAL, tuple(range(8))),
}


def judge(suite: dict, frame: pd.DataFrame, n_rows: int | None = None):
    suite = json.loads(json.dumps(suite))  # what cannot be written down is no suite
    check_suite(suite, "derived")
    parameters = {"n_rows": len(frame) if n_rows is None else n_rows}
    return run_suite(suite, frame, subject="table", parameters=parameters)


def failed(result) -> list[str]:
    return [check.description for check in result.failures("critical")]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frames(max_rows=8))
def test_every_table_meets_the_suite_made_from_its_own_schema(frame):
    schema = infer_schema(frame)
    decoded = decode(encode(frame, schema), schema)
    assert failed(judge(source_suite(schema), decoded)) == []


def test_completed_and_synthetic_data_of_all_kinds_meet_their_suites():
    schema = infer_schema(PEOPLE, OVERRIDES)
    matrix = encode(PEOPLE, schema)
    frame = add_residuals(decode(matrix, schema), matrix, schema, {"bmi": BMI})
    assert {v.kind for v in schema} == {
        *(Kind.NUMERIC, Kind.ORDINAL, Kind.NOMINAL, Kind.BINARY, Kind.DATETIME)
    }
    for suite in (completed_suite(schema, ["bmi"]), synthetic_suite(schema, ["bmi"])):
        assert failed(judge(suite, frame)) == []


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (lambda f: f.assign(stage=f["stage"].replace("low", "lower")), "stage is one of its 3 "),
        (lambda f: f.assign(children=f["children"].replace(1, 99)), "children is one of its 8 "),
        (lambda f: f.assign(hgt=f["hgt"].where(f.index != 3)), "hgt is never missing"),
        (lambda f: f.drop(columns="region"), "region is never missing"),
        (lambda f: f[f.columns[::-1]], "the columns are hgt, wgt, bmi, stage, region, smoker"),
        (lambda f: f.assign(bmi__residual=f["bmi__residual"] + 1e-6), "bmi is exactly what its"),
    ],
)
def test_what_a_user_would_stumble_over_is_found(plant, found):
    schema = infer_schema(PEOPLE, OVERRIDES)
    frame = PEOPLE.assign(bmi__residual=0.0)
    result = judge(synthetic_suite(schema, ["bmi"]), plant(frame))
    assert any(description.startswith(found) for description in failed(result))


def test_a_wrong_number_of_rows_is_found():
    schema = infer_schema(PEOPLE)
    result = judge(synthetic_suite(schema, []), PEOPLE, n_rows=len(PEOPLE) + 1)
    assert failed(result) == ["the number of rows is as specified"]


def test_observed_values_need_not_follow_the_formula_exactly():
    schema = infer_schema(PEOPLE)
    rounded = PEOPLE.assign(bmi__residual=0.004)
    assert failed(judge(completed_suite(schema, ["bmi"]), rounded)) == []


# --- residuals ------------------------------------------------------------------------------------


def residuals(frame: pd.DataFrame, formulas: dict[str, str], overrides=None) -> pd.DataFrame:
    schema = infer_schema(frame, overrides)
    found = add_residuals(frame, encode(frame, schema), schema, formulas)
    assert found.columns.tolist() == [*frame, *(f"{name}__residual" for name in formulas)]
    return found


def test_a_number_is_as_far_as_its_difference_and_missing_where_an_input_is():
    frame = pd.DataFrame(
        {"a": [1.0, 2.0, np.nan, 4.0], "b": [2.0, 4.5, 6.0, np.nan], "c": [1.0, 2.0, 3.0, 4.0]}
    )
    found = residuals(frame, {"b": "~ 2 * a", "c": "~ 7"})
    np.testing.assert_allclose(found["b__residual"], [0, 0.5, np.nan, np.nan])
    np.testing.assert_allclose(found["c__residual"], [6, 5, 4, 3])


def test_a_category_is_right_or_wrong():
    frame = pd.DataFrame(
        {
            "age": [3.0, 30.0, 40.0, 70.0, np.nan],
            "group": pd.Categorical(["young", "old", None, "young", "old"]),
            "adult": [False, True, True, False, True],
        }
    )
    formulas = {"group": "~ where(age < 18, 'young', 'old')", "adult": "~ age >= 18"}
    found = residuals(frame, formulas)
    np.testing.assert_array_equal(found["group__residual"], [0, 0, np.nan, 1, np.nan])
    np.testing.assert_array_equal(found["adult__residual"], [0, 0, 0, 1, np.nan])


def test_numbers_as_categories_are_compared_as_the_engine_stores_them():
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "level": [0, 1, 2, 2]})
    override = {"level": VariableOverride(Kind.ORDINAL, (0, 1, 2))}
    formulas = {"level": "~ min(a, 2)"}
    schema = infer_schema(frame, override)
    stored = PassiveVariables(formulas, schema).compute(
        "level", encode(frame, schema), np.ones(4, bool)
    )
    np.testing.assert_array_equal(stored, [0, 1, 2, 2])
    assert residuals(frame, formulas, override)["level__residual"].tolist() == [0, 0, 0, 0]


def test_a_date_is_as_far_as_its_number_of_steps():
    days = pd.to_datetime(["2024-01-01", "2024-01-05"])
    frame = pd.DataFrame({"first": days, "second": days + pd.Timedelta(days=3)})
    assert residuals(frame, {"second": "~ first + 2"})["second__residual"].tolist() == [1, 1]
