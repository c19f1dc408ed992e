import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.data import infer_schema
from synth_tasks.errors import SpecError
from synth_tasks.sdc import MergeRareLevels, control

LEVELS = ["a"] * 10 + ["b"] * 6 + ["c"] * 3 + ["d"] * 2 + [None]


def merge(values, dtype=None, **settings):
    frame = pd.DataFrame({"c": pd.Series(values, dtype=dtype), "x": np.arange(len(values))})
    step = MergeRareLevels(columns=["c"], **settings)
    return frame, control(frame, frame, infer_schema(frame), [step], seed=1, set_number=1)


@pytest.mark.parametrize("dtype", ["object", "string", "str", "category"])
def test_rare_levels_become_one_new_level(dtype):
    frame, found = merge(LEVELS, dtype)
    assert found.frame["c"].value_counts().loc[["a", "b", "other"]].tolist() == [10, 6, 5]
    assert found.frame["c"].isna().sum() == 1
    assert found.changes[0].cells == {"c": 5}
    assert found.schema["c"].categories == ("a", "b", "other")
    if dtype == "category":
        assert found.frame["c"].cat.categories.tolist() == ["a", "b", "other"]
    else:
        assert found.frame["c"].dtype == frame["c"].dtype


def test_rare_levels_that_are_rare_together_take_the_next_one_along():
    _, found = merge(["a"] * 10 + ["b"] * 6 + ["c"] * 2, k=5)
    assert found.frame["c"].value_counts().to_dict() == {"a": 10, "other": 8}


def test_without_a_rare_level_nothing_changes():
    frame, found = merge(["a"] * 10 + ["b"] * 6, k=5)
    pd.testing.assert_frame_equal(found.frame, frame)
    assert found.schema == infer_schema(frame)
    assert found.changes[0].cells == {}


def test_ordered_levels_are_merged_into_one_of_theirs():
    dtype = pd.CategoricalDtype(["a", "b", "c", "d"], ordered=True)
    _, found = merge(LEVELS, dtype, other="c")
    assert found.frame["c"].dtype == pd.CategoricalDtype(["a", "b", "c"], ordered=True)
    assert found.frame["c"].value_counts().to_dict() == {"a": 10, "b": 6, "c": 5}
    with pytest.raises(SpecError, match=r"column 'c' \(ordinal\) has no level 'other'"):
        merge(LEVELS, dtype)


@given(
    st.lists(st.sampled_from("abcde"), min_size=2, max_size=40).filter(lambda v: len(set(v)) > 2),
    st.integers(2, 8),
)
def test_every_level_left_stands_for_k_records_if_there_are_so_many(values, k):
    _, found = merge(values, k=k)
    assert found.frame["c"].value_counts().min() >= min(k, len(values))


def test_numbers_have_no_levels():
    frame = pd.DataFrame({"x": [1.5, 2.5]})
    with pytest.raises(SpecError, match="'x' is numeric, without levels"):
        control(
            frame,
            frame,
            infer_schema(frame),
            [MergeRareLevels(columns=["x"])],
            seed=1,
            set_number=1,
        )
