import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.data import VariableOverride, infer_schema
from synth_tasks.sdc import TopBottomCode, control

REAL = pd.DataFrame({"x": [*range(20), 100, 200]})
SCHEMA = infer_schema(REAL)


def code(drawn, real=REAL, **settings):
    step = TopBottomCode(columns=["x"], **settings)
    return control(real, drawn, infer_schema(real), [step], seed=1, set_number=1)


def test_tails_become_the_mean_of_k_real_values():
    found = code(REAL, k=3)
    # (200 + 100 + 19) / 3 and (0 + 1 + 2) / 3, as whole numbers
    assert found.frame["x"].tolist() == [1, 1, 1, *range(3, 19), 106, 106, 106]
    assert found.frame["x"].dtype == REAL["x"].dtype
    assert found.changes[0].cells == {"x": 5}


def test_one_side_can_be_left_alone():
    assert code(REAL, k=3, sides="top").frame["x"].min() == 0
    assert code(REAL, k=3, sides="bottom").frame["x"].max() == 200


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=40), st.integers(2, 6))
def test_no_extreme_stands_for_fewer_than_k_real_records(values, k):
    real = pd.DataFrame({"x": values})
    if real["x"].nunique() < 2:
        return
    found = code(real, real, k=k).frame["x"]
    support = min(k, len(values))
    assert (found == found.max()).sum() >= support
    assert (found == found.min()).sum() >= support


def test_values_beyond_those_of_real_people_are_coded_too():
    drawn = pd.DataFrame({"x": [-50, 10, 999]})
    assert code(drawn, k=3).frame["x"].tolist() == [1, 10, 106]


def test_missing_values_stay():
    real = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan]})
    found = code(real, real, k=2).frame["x"]
    assert found.isna().tolist() == [False, False, False, True]


def test_spikes_are_no_extremes():
    real = pd.DataFrame({"x": [-8, -8, 1, 2, 3, 4, 50]})
    schema = infer_schema(real, {"x": VariableOverride(spikes=(-8.0,))})
    step = TopBottomCode(columns=["x"], k=2)
    found = control(real, real, schema, [step], seed=1, set_number=1).frame["x"]
    assert found.tolist() == [-8, -8, 2, 2, 3, 27, 27]


def test_a_single_record_is_no_support():
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        TopBottomCode(columns=["x"], k=1)
