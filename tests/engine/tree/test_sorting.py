"""Columns sorted once."""

from __future__ import annotations

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.data import Kind
from synth_tasks.engine.tree import SortedColumns
from synth_tasks.engine.tree.sorting import sort_values
from tests.engine.builders import category, number


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=600)
)
def test_codes_compare_as_the_values_do(values: list[float]) -> None:
    column = np.array(values)
    codes, of_codes = sort_values(column)
    np.testing.assert_array_equal(of_codes[codes], column)
    order = np.argsort(column, kind="stable")
    np.testing.assert_array_equal(np.diff(codes[order]) > 0, np.diff(column[order]) > 0)


def test_many_values_are_numbered_by_their_position() -> None:
    column = np.repeat(np.arange(300.0), 3)[::-1].copy()
    codes, of_codes = sort_values(column)
    assert codes.tolist() == np.repeat(np.arange(0, 900, 3), 3)[::-1].tolist()
    np.testing.assert_array_equal(of_codes[codes], column)


def test_few_values_are_numbered_without_gaps() -> None:
    codes, of_codes = sort_values(np.repeat([5.0, -1.0, 7.5], 100))
    assert np.unique(codes).tolist() == [0, 1, 2]
    assert of_codes.tolist() == [-1.0, 5.0, 7.5]


def test_categories_are_not_sorted() -> None:
    columns = SortedColumns(np.array([[2.0], [0.0]]), [category(4, Kind.ORDINAL)])
    codes, of_codes = columns.column(0)
    assert codes.tolist() == [2, 0]
    assert of_codes.tolist() == [0, 1, 2, 3]
    assert columns.spread(0) == 1.0


def test_a_column_is_sorted_once_and_only_if_asked_for() -> None:
    matrix = np.array([[1.0, np.nan], [3.0, 2.0]])
    columns = SortedColumns(matrix, [number("a"), number("b")])
    assert columns.column(0)[0] is columns.column(0)[0]
    assert columns.spread(0) == 1.0
    stored = pickle.loads(pickle.dumps(columns))  # noqa: S301
    np.testing.assert_array_equal(stored.column(0)[1], [1.0, 3.0])
