import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.data import VariableOverride, infer_schema
from synth_tasks.disclosure import (
    EXCESS_METRICS,
    METRICS,
    assess,
    assess_average,
    assess_disclosure,
)
from synth_tasks.errors import DataError
from synth_tasks.ledger import make_ledger
from synth_tasks.seeding import generator

BOUNDS = {
    metric.name: (metric.minimum, metric.maximum)
    for metric in METRICS
    if metric not in EXCESS_METRICS
}
AVERAGE = {
    "self_linkage_average",
    "self_linkage_average_excess",
    "self_linkage_rank_average",
}
LINKED = {
    "self_linkage",
    "self_linkage_excess",
    "self_linkage_rank",
    "own_value",
    "own_value_excess",
}
# Fewer than three real values have no extremes, and a single real row has no second nearest one.
SOMETIMES = {"extreme_share", "copied_extreme", "extreme_support", "nearest_ratio"}

ROW = st.tuples(
    st.one_of(st.none(), st.integers(-5, 5).map(float)),
    st.one_of(st.none(), st.sampled_from("abc")),
)
ROWS = st.lists(ROW, min_size=1, max_size=20)


def frame(data):
    columns = pd.DataFrame(data, columns=["x", "c"])
    return columns.astype({"x": float, "c": pd.CategoricalDtype(list("abc"))})


@pytest.fixture(scope="module")
def schema():
    return infer_schema(frame([(0.0, "a"), (1.0, "b")]), {"x": VariableOverride(decimals=0)})


def check_bounds(measured):
    for m in measured:
        lowest, highest = BOUNDS[m.metric]
        assert math.isfinite(m.value)
        assert lowest <= m.value <= highest
        assert math.isnan(m.lower) or m.lower <= m.value + 1e-12
        assert math.isnan(m.upper) or m.upper >= m.value - 1e-12


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ROW, ROW), min_size=1, max_size=20))
def test_every_figure_is_finite_and_within_bounds(schema, rows):
    real, synthetic = (frame(list(side)) for side in zip(*rows, strict=True))
    measured = assess_disclosure(
        real, synthetic, schema, 1, keys=["x"], targets=["c"], rng=generator(1)
    )
    measured += assess_average(real, [synthetic, real], schema, generator(1))
    assert set(BOUNDS) - SOMETIMES <= {m.metric for m in measured} <= set(BOUNDS)
    check_bounds(measured)


def test_without_targets_only_what_is_measured_of_them_is_left_out(boys):
    def names(targets):
        measured = assess_disclosure(
            boys, boys, infer_schema(boys), 1, keys=["age", "hgt"], targets=targets,
            rng=generator(1), linkable=False,
        )  # fmt: skip
        return {m.metric for m in measured}

    left_out = names(["gen"]) - names([])
    assert left_out == {metric.name for metric in assess.TARGET_METRICS}


def test_names_of_metrics_are_unique():
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))


@settings(max_examples=40, deadline=None)
@given(ROWS, ROWS)
def test_without_linkage_row_order_does_not_matter(schema, real, synthetic):
    def assess(r, s):
        measured = assess_disclosure(
            frame(r),
            frame(s),
            schema,
            1,
            keys=["x"],
            targets=["c"],
            rng=generator(1),
            linkable=False,
        )
        check_bounds(measured)
        return make_ledger(measured)

    ledger = assess(real, synthetic)
    pd.testing.assert_frame_equal(ledger, assess(real[::-1], synthetic[::-1]))
    assert set(ledger["metric"]) | SOMETIMES == set(BOUNDS) - AVERAGE - LINKED


def test_a_copy_of_the_boys_discloses_everything(boys):
    measured = assess_disclosure(
        boys,
        boys,
        infer_schema(boys),
        2,
        keys=["age", "hgt"],
        targets=["gen", "age", "tv"],
        rng=generator(1),
        derived=["bmi"],
    )
    ledger = make_ledger(measured)
    values = ledger[ledger["target"] == ""].set_index("metric")["value"]
    assert values["exact_match"] == 1
    assert values["self_linkage"] > 0.99
    assert values["own_value"] == 1
    assert values["repU"] == values["UiO"]
    by_target = ledger.set_index(["metric", "target"])["value"]
    assert by_target["disco"].to_dict() == by_target["disclosive_original"].to_dict()
    assert set(by_target["disco"].index) == {"gen", "tv"}
    assert by_target["disco"].min() > 90
    assert by_target["tcap"].min() == 100
    assert values["closest_record"] == 0
    assert by_target["copied_extreme"].to_dict() == by_target["extreme_share"].to_dict()
    assert (ledger["set"] == 2).all()
    assert not ledger.duplicated(["metric", "target", "keys", "set"]).any()


def test_without_keys_there_is_nothing_to_learn_from(boys):
    measured = assess_disclosure(
        boys,
        boys,
        infer_schema(boys),
        1,
        keys=[],
        targets=["gen"],
        rng=generator(1),
        linkable=False,
    )
    assert not any(m.keys for m in measured)
    assert {m.metric for m in measured} == {
        "exact_match",
        "unique_exact_match",
        "extreme_share",
        "copied_extreme",
        "extreme_support",
        "closest_record",
        "nearest_ratio",
    }


def test_derived_variables_hide_no_copy(boys):
    changed = boys.assign(bmi=boys["bmi"] + 1)
    schema = infer_schema(boys)
    for derived, expected in [((), boys["bmi"].isna().mean()), (["bmi"], 1.0)]:
        measured = assess_disclosure(
            boys, changed, schema, 1, keys=[], rng=generator(1), derived=derived, linkable=False
        )
        assert measured[0].metric == "exact_match"
        assert measured[0].value == pytest.approx(expected)


def test_shuffling_hides_the_link_but_not_the_copies(boys):
    shuffled = boys.sample(frac=1, random_state=1)
    measured = assess_disclosure(
        boys, shuffled, infer_schema(boys), 1, keys=["age"], rng=generator(1)
    )
    values = {m.metric: m.value for m in measured if not m.target}
    assert values["exact_match"] == 1
    assert values["self_linkage"] < 0.01
    assert abs(values["own_value_excess"]) < 0.02


def test_averaging_over_sets_removes_the_noise_that_hides_a_source(boys):
    numbers = boys[["age", "hgt", "wgt", "hc"]].dropna().reset_index(drop=True)
    schema = infer_schema(numbers)
    rng = generator(3, "noise")
    sets = [
        numbers + rng.normal(0, 0.4, numbers.shape) * numbers.std().to_numpy() for _ in range(10)
    ]
    single = assess_disclosure(numbers, sets[0], schema, 1, keys=[], rng=generator(1))
    linkage = {m.metric: m.value for m in single}["self_linkage"]
    average, excess, rank = assess_average(numbers, sets, schema, generator(1))
    assert (excess.metric, excess.set_number) == ("self_linkage_average_excess", 0)
    assert excess.value == average.value - 1 / len(numbers)
    assert (average.metric, average.set_number) == ("self_linkage_average", 0)
    assert average.value > 1.5 * linkage
    assert rank.value < 0.05


def test_sets_without_common_rows_have_no_average(boys):
    schema = infer_schema(boys)
    with pytest.raises(DataError, match="at least one"):
        assess_average(boys, [], schema, generator(1))
    with pytest.raises(DataError, match="700 to 748 rows"):
        assess_average(boys, [boys, boys.head(700)], schema, generator(1))


def test_sets_without_a_row_have_no_average():
    real = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
    none = real.head(0)
    assert assess_average(real, [none, none], infer_schema(real), generator(1, "x")) == []
