"""The predictor columns that a method sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synth_tasks.data import Schema
from synth_tasks.engine.predictors import PlainColumns
from tests.engine.builders import category, number

SCHEMA = Schema(
    (
        number("age"),
        replace(number("income"), spikes=(0.0,), keep_missing=True),
        replace(category(2, name="job"), keep_missing=True),
    )
)
SOURCE = np.array(
    [
        [20.0, 10.0, 0.0],
        [30.0, 0.0, np.nan],
        [40.0, np.nan, 1.0],
        [50.0, 30.0, 1.0],
    ]
)
ALL = np.ones(4, dtype=bool)


def learn(*names: str, rows: np.ndarray = ALL) -> PlainColumns:
    return PlainColumns.learn(SCHEMA, names, SOURCE, rows)


def test_a_plain_variable_is_one_column() -> None:
    columns = learn("age")
    np.testing.assert_array_equal(columns.matrix(SOURCE, ALL), SOURCE[:, :1])
    assert columns.described == (SCHEMA["age"],)


def test_a_variable_of_two_parts_is_its_state_and_its_value() -> None:
    columns = learn("income", "age")
    assert [v.name for v in columns.described] == ["state of income", "income", "age"]
    assert [v.is_categorical for v in columns.described] == [True, False, False]
    expected = [[0, 10, 20], [1, 0, 30], [2, 0, 40], [0, 30, 50]]
    np.testing.assert_array_equal(columns.matrix(SOURCE, ALL), expected)


def test_a_category_without_value_is_told_by_its_state() -> None:
    columns = learn("job")
    np.testing.assert_array_equal(columns.matrix(SOURCE, ALL), [[0, 0], [1, 0], [0, 1], [0, 1]])


def test_the_filler_is_near_the_mean_of_many_training_values_and_nobodys() -> None:
    source = np.full((40, len(SCHEMA)), np.nan)
    income = SCHEMA.position("income")
    source[:20, income] = 1234.5 + np.arange(20)
    rows = np.arange(40) < 30
    columns = PlainColumns.learn(SCHEMA, ["income"], source, rows)
    assert columns.fillers == (1200.0,)
    assert columns.matrix(source, ~rows)[:, 1].tolist() == [1200.0] * 10


def test_of_few_people_there_is_no_mean() -> None:
    columns = learn("income", rows=np.array([True, False, False, False]))
    assert columns.fillers == (0.0,)
    assert columns.matrix(SOURCE, np.array([False, True, True, False]))[:, 1].tolist() == [0, 0]


def test_no_ordinary_value_gives_a_filler_all_the_same() -> None:
    columns = learn("income", rows=np.array([False, True, True, False]))
    assert np.isfinite(columns.matrix(SOURCE, ALL)).all()


def test_rows_may_be_repeated_for_a_bootstrap_sample() -> None:
    rows = np.array([0, 0, 3])
    columns = learn("income", rows=rows)
    assert columns.matrix(SOURCE, rows).tolist() == [[0, 10], [0, 10], [0, 30]]


def test_no_predictors_are_no_columns() -> None:
    assert learn().matrix(SOURCE, ALL).shape == (4, 0)
    assert learn().described == ()
