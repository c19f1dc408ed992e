import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.data import VariableOverride, encode, infer_schema
from synth_tasks.engine.strata import divide
from synth_tasks.errors import DataError
from synth_tasks.release import division
from synth_tasks.release.division import divide_cells


def count_cells(frame, names):
    groups = frame.groupby(list(names), dropna=False, observed=True).size()
    keys = (key if isinstance(key, tuple) else (key,) for key in groups.index)
    return {
        tuple(None if pd.isna(part) else part for part in key): int(n)
        for key, n in zip(keys, groups, strict=True)
    }


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=6, max_size=60),
    st.integers(1, 20),
)
def test_pieces_are_divided_as_the_whole_table_is(rows, min_size):
    a, b = np.array(rows).T
    a[:4], b[:3] = range(4), range(3)
    frame = pd.DataFrame({"a": [f"a{i}" for i in a], "b": [f"b{i}" for i in b]})
    schema = infer_schema(frame)
    matrix, names = encode(frame, schema), ("a", "b")
    expected, _ = divide(matrix, schema, names, min_size)
    found = divide_cells(count_cells(frame, names), schema, names, min_size)
    half = len(frame) // 2
    assigned = np.concatenate([found.assign(matrix[:half]), found.assign(matrix[half:])])
    np.testing.assert_array_equal(assigned, expected.numbers)
    np.testing.assert_array_equal(found.sizes, np.bincount(expected.numbers))


def test_a_missing_value_that_is_data_has_a_stratum():
    frame = pd.DataFrame({"a": ["x", "y", None] * 5})
    schema = infer_schema(frame, {"a": VariableOverride(keep_missing=True)})
    found = divide_cells(count_cells(frame, ("a",)), schema, ("a",), 1)
    assert found.assign(encode(frame, schema))[:3].tolist() == [1, 2, 0]
    assert found.labels == ("missing", "x", "y")


def test_a_combination_that_was_not_counted_is_refused():
    frame = pd.DataFrame({"a": ["x", "y", "z"] * 5})
    schema = infer_schema(frame)
    found = divide_cells({("x",): 5, ("y",): 5}, schema, ("a",), 1)
    with pytest.raises(DataError, match="the source changed while it was read"):
        found.assign(encode(frame, schema))


def test_a_hole_in_a_dividing_column_is_refused():
    frame = pd.DataFrame({"a": ["x", "y", None] * 5})
    with pytest.raises(DataError, match=r"column 'a' divides the data but is missing in 5 rows"):
        divide_cells(count_cells(frame, ("a",)), infer_schema(frame), ("a",), 1)


def test_too_many_strata_are_refused(monkeypatch):
    monkeypatch.setattr(division, "MOST_STRATA", 2)
    frame = pd.DataFrame({"a": ["x", "y", "z"] * 5})
    with pytest.raises(DataError, match="a make 3 strata; at most 2"):
        divide_cells(count_cells(frame, ("a",)), infer_schema(frame), ("a",), 1)


def test_a_label_names_what_was_merged_and_no_sign_that_a_condition_cannot_hold():
    frame = pd.DataFrame({"a": ['"q"', "b", "c", "d", "e"] * 4})
    found = divide_cells(count_cells(frame, ("a",)), infer_schema(frame), ("a",), 1000)
    assert found.labels == ("'q' + b + c + 2 more",)
