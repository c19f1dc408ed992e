import numpy as np
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.disclosure.own_values import measure_own_values
from synth_tasks.errors import DataError
from synth_tasks.utility.pair import TablePair


def test_by_hand(pair_up):
    measured = measure_own_values(
        pair_up(
            {"x": [1.0, 2.0, 2.0, np.nan], "c": list("abab")},
            {"x": [1.0, 2.0, np.nan, np.nan], "c": list("bbbb")},
        )
    )
    shares = {m.target: m for m in measured if m.metric == "own_value"}
    excess = {m.target: m for m in measured if m.metric == "own_value_excess"}
    # x: sum of p_real p_synthetic = 1/4·1/4 + 1/2·1/4 + 1/4·1/2; c: 1/2·1
    assert shares["x"].value == 0.75
    assert shares["x"].null == pytest.approx(5 / 16)
    assert shares["c"].value == shares["c"].null == 0.5
    assert shares[""].value == 0.625
    assert excess["x"].value == pytest.approx(0.75 - 5 / 16)
    assert excess["c"].value == 0
    assert excess[""].value == pytest.approx((0.75 - 5 / 16) / 2)
    for m in measured:
        assert m.lower <= m.value <= m.upper
        assert m.n == 4
    assert {m.null for m in excess.values()} == {0.0}


def test_shuffled_rows_have_no_excess(boys):
    schema = infer_schema(boys)
    excess = [
        m.value
        for i in range(30)
        for m in measure_own_values(
            TablePair.encode(boys, boys.sample(frac=1, random_state=i), schema)
        )
        if m.metric == "own_value_excess" and m.target == ""
    ]
    assert abs(np.mean(excess)) < 4 * np.std(excess) / np.sqrt(len(excess))


def test_repeated_cells_are_seen(boys):
    torn = boys.sample(frac=1, random_state=1).reset_index(drop=True)
    torn["hc"] = boys["hc"]
    measured = measure_own_values(TablePair.encode(boys, torn, infer_schema(boys)))
    lower = {m.target: m.lower for m in measured if m.metric == "own_value_excess"}
    assert lower["hc"] > 0.9
    assert lower["age"] < 0.01


def test_rows_must_correspond(pair_up):
    with pytest.raises(DataError, match="needs one for each"):
        measure_own_values(pair_up({"x": [1.0]}, {"x": [1.0, 2.0]}))
