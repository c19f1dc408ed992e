import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.data import VariableOverride, infer_schema
from synth_tasks.ledger import make_ledger
from synth_tasks.seeding import generator
from synth_tasks.utility import GENERAL_METRICS, METRICS, RowLimits, assess_general

BOUNDS = {metric.name: (metric.minimum, metric.maximum) for metric in GENERAL_METRICS}
# Depend on random numbers only where tables are too large to be looked at as a whole.
EXACT = ["total_variation", "kolmogorov_smirnov", "quantile_difference", "pmse_logit"]


def rows(min_size=1):
    cells = st.tuples(
        st.one_of(st.none(), st.integers(-5, 5).map(float)),
        st.one_of(st.none(), st.sampled_from("abc")),
        st.integers(0, 1000),
    )
    return st.lists(cells, min_size=min_size, max_size=25)


def frame(data):
    columns = pd.DataFrame(data, columns=["x", "c", "i"])
    return columns.astype({"x": float, "c": pd.CategoricalDtype(list("abc"))})


def assess(real, synthetic, schema, seed=1, **limits):
    rng = generator(seed, "general")
    return assess_general(real, synthetic, schema, 1, rng=rng, limits=RowLimits(**limits))


@settings(max_examples=6, deadline=None)
@given(rows(), rows())
def test_every_figure_is_finite_and_within_bounds(real, synthetic):
    known = frame([(0.0, "a", 0), (1.0, "b", 1), (2.0, "c", 2)])
    schema = infer_schema(known, {"x": VariableOverride(decimals=0)})
    measured = assess(frame(real), frame(synthetic), schema)
    assert {m.metric for m in measured} <= set(BOUNDS)
    # Variables of which one table has no value are left out of these.
    assert set(BOUNDS) - {m.metric for m in measured} <= {
        "kolmogorov_smirnov",
        "quantile_difference",
        "cramers_v_difference",
        "eta_difference",
    }
    for m in measured:
        lowest, highest = BOUNDS[m.metric]
        assert math.isfinite(m.value)
        assert lowest <= m.value <= highest
    turned = assess(frame(real[::-1]), frame(synthetic[::-1]), schema)
    for name in EXACT:
        np.testing.assert_allclose(
            [m.value for m in measured if m.metric == name],
            [m.value for m in turned if m.metric == name],
            atol=1e-3,
        )


def test_names_are_not_those_of_other_metrics():
    assert not set(BOUNDS) & {metric.name for metric in METRICS}
    assert len(BOUNDS) == len(GENERAL_METRICS)


@pytest.fixture(scope="module")
def whole(boys):
    return boys[["age", "hgt", "wgt", "reg", "gen"]].dropna().reset_index(drop=True)


def test_the_same_generator_gives_the_same_figures(whole):
    schema, other = infer_schema(whole), whole.sample(frac=1, replace=True, random_state=1)
    first, second, third = (assess(whole, other, schema, seed) for seed in (1, 1, 2))
    assert repr(first) == repr(second) != repr(third)
    ledger = make_ledger(first)
    assert not ledger.duplicated(["metric", "target", "keys", "set"]).any()


def test_large_tables_are_sampled(whole):
    schema, other = infer_schema(whole), whole.sample(frac=1, replace=True, random_state=1)
    measured = assess(whole, other, schema, pmse=200, classifier=100, density_ratio=60)
    n = {m.metric: m.n for m in measured}
    assert n["pmse_logit"] == n["pmse_cart"] == 200
    assert n["classifier_auc"] == 100
    assert n["density_ratio"] == 60
    assert n["total_variation"] == len(whole)


def test_independent_margins_fail_where_relations_count(whole):
    torn = whole.copy()
    for i, name in enumerate(whole):
        torn[name] = whole[name].sample(frac=1, random_state=i).array
    found = {m.metric: m for m in assess(whole, torn, infer_schema(whole)) if not m.target}
    assert found["pmse_logit"].lower > 3
    assert found["classifier_auc"].lower > 0.8
    assert found["density_ratio_p"].value == 0.01
    assert found["quantile_difference_max"].value == 0
