"""Keys are what an intruder may know, targets what he may want to learn."""

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import encode, infer_schema
from synth_tasks.release.examples import propose_analyses
from synth_tasks.release.risks import propose_keys, propose_targets, share_unique

N = 200


@pytest.fixture(scope="module")
def survey():
    rng = np.random.default_rng(2)
    age = rng.integers(18, 90, N)
    income = (age * 100 + rng.normal(0, 300, N)).round(0)
    frame = pd.DataFrame(
        {
            "Age": age,
            "postal_code": rng.choice(["1A", "1B", "2A"], N),
            "stage": rng.choice(["a", "b", "c"], N),
            "net income": income,
            "tax": (income * 0.3 + rng.normal(0, 200, N)).round(0),
            "sum": income * 2,
        }
    )
    schema = infer_schema(frame)
    return schema, encode(frame, schema)


def test_columns_known_by_their_names_are_keys_and_sensitive_ones_are_not(survey):
    schema, matrix = survey
    keys = propose_keys(schema, matrix, ["sum"])
    assert {"Age", "postal_code"} < set(keys)
    assert "net income" not in keys
    assert "sum" not in keys
    assert len(keys) == 3


@pytest.mark.parametrize("names", ["ab", "abc", ["age", "sex", "region"], ["age", "sex", "b"]])
def test_of_a_narrow_table_one_column_is_left_to_be_a_target(names):
    values = np.random.default_rng(3).normal(size=(60, len(names)))
    frame = pd.DataFrame(values, columns=list(names))
    schema = infer_schema(frame)
    keys = propose_keys(schema, encode(frame, schema), [])
    assert len(keys) == len(names) - 1
    assert propose_targets(schema, keys, []) == [name for name in names if name not in keys]


def test_what_follows_from_others_is_no_target_that_is_left(survey):
    schema, matrix = survey
    derived = ["stage", "net income", "tax", "sum"]
    keys = propose_keys(schema, matrix, derived)
    assert keys == ["Age"]
    assert propose_targets(schema, keys, derived) == ["postal_code"]


def test_columns_with_telling_names_are_targets(survey):
    schema, _ = survey
    assert propose_targets(schema, ["Age"], ["sum"]) == ["net income"]


def test_without_telling_names_all_others_are_targets(survey):
    schema, _ = survey
    found = propose_targets(schema, ["Age", "net income"], ["sum"])
    assert found == ["postal_code", "stage", "tax"]


def test_the_share_of_rows_that_are_alone_is_counted():
    schema = infer_schema(pd.DataFrame({"a": [1, 1, 2, 3], "b": [1, 1, 1, 2]}))
    matrix = np.array([[1, 1], [1, 1], [2, 1], [3, 2.0]])
    assert share_unique(matrix, schema, ["a", "b"]) == 0.5
    assert share_unique(matrix, schema, ["b"]) == 0.25
    assert share_unique(matrix, schema, []) == 0
    assert share_unique(np.array([[np.nan, 1], [np.nan, 1]]), schema, ["a", "b"]) == 0


def test_the_variable_that_others_predict_best_is_the_outcome_of_the_example(survey):
    schema, matrix = survey
    regression, means = propose_analyses(schema, matrix, ["sum"])
    assert regression == {"model": "ols", "formula": "`net income` ~ Age + tax"}
    assert means == {"model": "mean", "variables": ["Age", "net income", "tax"]}


def test_data_without_numbers_get_no_example():
    frame = pd.DataFrame({"a": ["x", "y", "z"] * 9, "b": ["u", "v", "w"] * 9})
    schema = infer_schema(frame)
    assert propose_analyses(schema, encode(frame, schema), []) == []
