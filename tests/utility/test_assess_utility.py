import math

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.data import VariableOverride, infer_schema
from synth_tasks.ledger import make_ledger
from synth_tasks.utility import METRICS, assess_utility

BOUNDS = {metric.name: (metric.minimum, metric.maximum) for metric in METRICS}


def rows(min_size=1):
    cells = st.tuples(
        st.one_of(st.none(), st.integers(-5, 5).map(float)),
        st.one_of(st.none(), st.sampled_from("abc")),
        st.integers(0, 1000),
    )
    return st.lists(cells, min_size=min_size, max_size=25)


def frame(data):
    columns = pd.DataFrame(data, columns=["x", "c", "i"])
    return columns.astype({"x": float, "c": pd.CategoricalDtype(list("abc"), ordered=True)})


@settings(max_examples=60, deadline=None)
@given(rows(), rows())
def test_every_figure_is_finite_within_bounds_and_blind_to_row_order(real, synthetic):
    known = frame([(0.0, "a", 0), (1.0, "b", 1)])
    schema = infer_schema(known, {"x": VariableOverride(decimals=0)})
    measured = assess_utility(frame(real), frame(synthetic), schema, 1)
    assert {m.metric for m in measured} == set(BOUNDS)
    for m in measured:
        lowest, highest = BOUNDS[m.metric]
        assert math.isfinite(m.value)
        assert lowest <= m.value <= highest
    turned = assess_utility(frame(real[::-1]), frame(synthetic[::-1]), schema, 1)
    np.testing.assert_allclose(
        make_ledger(measured)["value"], make_ledger(turned)["value"], atol=1e-9
    )


def test_a_copy_of_the_boys_loses_nothing(boys):
    ledger = make_ledger(assess_utility(boys, boys, infer_schema(boys), 2))
    assert (ledger["value"].abs() < 1e-12).all()
    assert (ledger["set"] == 2).all()
    assert not ledger.duplicated(["metric", "target", "keys", "set"]).any()


def test_a_bootstrap_of_the_boys_is_near_the_null_value(boys):
    copy = boys.sample(frac=1, replace=True, random_state=1)
    ledger = make_ledger(assess_utility(boys, copy, infer_schema(boys), 1)).set_index("metric")
    assert 0.5 < ledger.loc["spmse_pair_median", "value"] < 1.5
    assert ledger.loc["spmse_pair_max", "value"] < 3
    assert ledger.loc["correlation_difference_max", "value"] < 0.1
