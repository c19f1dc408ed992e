import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.data import infer_schema
from synth_tasks.disclosure.extremes import measure_extremes
from synth_tasks.errors import DataError
from synth_tasks.utility.pair import TablePair

SCHEMA = infer_schema(pd.DataFrame({"x": [0.0, 1.5]}))
VALUES = st.lists(st.integers(0, 30).map(lambda value: value / 2), min_size=3, max_size=40)


def extremes(real, synthetic, **options):
    pair = TablePair(SCHEMA, np.array(real, float)[:, None], np.array(synthetic, float)[:, None])
    return {m.metric: m for m in measure_extremes(pair, **options)}


def test_by_hand():
    # 1, 2, ..., 10. With support 3, values below 3 and above 8 are extreme.
    found = extremes(range(1, 11), [2, 3, 8, 8.5, 20, np.nan], support=3)
    assert found["extreme_share"].value == 3 / 5
    # Of 2, 8.5 and 20 only 2 is a real value.
    assert found["copied_extreme"].value == 1 / 5
    assert found["extreme_support"].value == 0
    assert found["extreme_share"].null == found["copied_extreme"].null == 4 / 10
    assert math.isnan(found["extreme_support"].null)
    assert (found["extreme_share"].target, found["extreme_share"].n) == ("x", 5)


def test_a_maximum_that_many_share_is_no_extreme():
    found = extremes([0] * 5 + [1, 2, 3] + [9] * 5, [0, 9, 9])
    assert found["extreme_share"].value == 0
    assert found["extreme_support"].value == 5


def test_draws_from_the_margin_meet_the_null_value():
    rng = np.random.default_rng(1)
    real = rng.normal(size=2000)
    found = extremes(real, rng.choice(real, 100_000))["copied_extreme"]
    assert found.null == pytest.approx(8 / 2000)
    assert abs(found.value - found.null) < 4 * np.sqrt(found.null / 100_000)


@given(VALUES, VALUES, st.integers(1, 6))
def test_both_sides_count_alike(real, synthetic, support):
    found = extremes(real, synthetic, support=support)
    turned = extremes([-x for x in real], [-x for x in synthetic], support=support)
    assert {name: m.value for name, m in found.items()} == {
        name: m.value for name, m in turned.items()
    }
    if found:
        assert 0 <= found["copied_extreme"].value <= found["extreme_share"].value <= 1
        by_definition = [
            min(sum(r >= s for r in real), sum(r <= s for r in real)) for s in synthetic
        ]
        assert found["extreme_support"].value == min(by_definition)
        assert found["extreme_share"].value == np.mean([rows < support for rows in by_definition])


def test_categories_and_two_values_have_no_extremes(boys):
    schema = infer_schema(boys)
    measured = measure_extremes(TablePair.encode(boys, boys, schema, 1))
    assert {m.target for m in measured} == {"age", "hgt", "wgt", "bmi", "hc", "tv"}
    assert extremes([0, 1, 1], [5.0]) == {}
    assert extremes([0, 1, 2], [np.nan]) == {}
    with pytest.raises(DataError, match="1 real row"):
        extremes([0, 1, 2], [1], support=0)
