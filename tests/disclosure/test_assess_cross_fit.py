"""The leak experiment: known leaks are found, and nothing is found where nothing leaks."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.data import infer_schema
from synth_tasks.disclosure import (
    EXCESS_METRICS,
    CrossFit,
    assess_cross_fit,
    assess_excess,
    cross_fit,
)
from synth_tasks.errors import DataError
from synth_tasks.ledger import make_ledger
from synth_tasks.seeding import generator
from synth_tasks.utility.pair import encode_rounded
from tests.disclosure.leaks import (
    KEYS,
    TARGETS,
    as_callable,
    draw_people,
    schema_of_people,
    syntheses,
)

BY_TARGET = {"disco_excess", "dcap_excess", "attribute_prediction_excess"}
JUDGED = [
    "exact_match_excess",
    "repU_excess",
    *BY_TARGET,
    "membership_distance_auc",
    "membership_distance_tpr",
    "membership_density_auc",
    "membership_density_tpr",
]


def run_experiment(n_half: int, seeds: range) -> pd.DataFrame:
    """Measure every synthesis of every population; index (synthesis, seed, metric, target)."""
    schema, found = schema_of_people(), []
    for seed in seeds:
        people = draw_people(2 * n_half, generator(seed, "people"))
        for name, synthesis in syntheses().items():
            cross = cross_fit(people, schema, as_callable(synthesis, seed), seed)
            measured = assess_excess(
                cross, keys=KEYS, targets=TARGETS, rng=generator(seed, "assessment")
            )
            found.append(make_ledger(measured).assign(synthesis=name, seed=seed))
    return pd.concat(found).set_index(["synthesis", "seed", "metric", "target"])


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((500, range(2)), id="reduced"),
        pytest.param((3000, range(20)), id="full", marks=pytest.mark.slow),
    ],
)
def experiment(request):
    return run_experiment(*request.param)


def judged(experiment, synthesis):
    rows = experiment.loc[synthesis].reset_index()
    return rows[rows["metric"].isin(JUDGED)]


def medians(experiment, synthesis):
    """Median over seeds and targets of every metric."""
    return judged(experiment, synthesis).groupby("metric")["value"].median()


@pytest.mark.parametrize("harmless", ["other people", "independent"])
def test_nothing_is_found_where_nothing_leaks(experiment, harmless):
    rows = judged(experiment, harmless)
    alarms = rows["lower"] > rows["null"]
    # Each interval errs upwards in 2.5 % of cases. Independent draws know their margins, which is a
    # little, and figures of one population hang together: allow for three times as many.
    n = len(rows)
    assert alarms.mean() < 0.075 + 2 * math.sqrt(0.075 * 0.925 / n)
    # On average over populations little is left of what an interval allows for one of them.
    half_width = (rows["upper"] - rows["lower"]) / 2
    centre = (rows["value"] - rows["null"]).groupby(rows["metric"]).mean().abs()
    left = 0.5 + 2 / math.sqrt(rows["seed"].nunique())
    assert (centre < left * half_width.groupby(rows["metric"]).mean()).all()


def test_verbatim_copies_are_counted_exactly(experiment):
    for synthesis, share in {
        "cart": 0.0,
        "cart, 1 % outliers": 0.01,
        "cart, 2 % copies": 0.02,
        "cart, 10 % copies": 0.10,
        "bootstrap": 1.0,
    }.items():
        rows = experiment.loc[synthesis].xs("exact_match_excess", level="metric")
        assert rows["value"].to_numpy() == pytest.approx(share, abs=0.002)
        assert (rows["lower"] <= share).all()
        assert (rows["upper"] >= share).all()
        assert ((rows["lower"] > 0) == (share > 0)).all()


def test_more_copies_are_more_disclosure_by_every_measure(experiment):
    ordered = [
        medians(experiment, name)
        for name in ("cart", "cart, 2 % copies", "cart, 10 % copies", "bootstrap")
    ]
    for metric in set(JUDGED) - {"attribute_prediction_excess", "repU_excess"}:
        values = [figures[metric] for figures in ordered]
        assert values == sorted(values), metric
    for metric in JUDGED:
        assert ordered[-1][metric] > ordered[0][metric] + 0.05, metric


def test_small_leaks_show_in_the_rate_at_few_false_positives(experiment):
    for attack in ("distance", "density"):
        clean, outliers, copies = (
            medians(experiment, name)[f"membership_{attack}_tpr"]
            for name in ("cart", "cart, 1 % outliers", "cart, 2 % copies")
        )
        assert outliers > clean + 0.005
        assert copies > clean + 0.01


def test_small_leaves_are_a_leak(experiment):
    clean, small = (medians(experiment, name) for name in ("cart", "cart, small leaves"))
    for metric in ("membership_distance_auc", "membership_density_auc", "dcap_excess"):
        assert small[metric] > clean[metric] + 0.01, metric


def test_every_metric_is_measured_once_with_control_and_within_bounds(experiment):
    rows = experiment.loc["cart"].reset_index()
    rows = rows[rows["seed"] == 0]
    assert not rows.duplicated(["metric", "target", "keys", "set"]).any()
    bounds = {metric.name: metric for metric in EXCESS_METRICS}
    assert set(rows["metric"]) == set(bounds)
    for row in rows.itertuples():
        assert bounds[row.metric].minimum <= row.lower <= row.value <= row.upper
        assert row.upper <= bounds[row.metric].maximum
    by_target = rows[rows["metric"].isin(BY_TARGET)]
    assert set(by_target["target"]) == set(TARGETS)
    controlled = rows["metric"].str.endswith("_excess") | (rows["metric"] == "attribute_prediction")
    assert (rows["control"].notna() == controlled).all()
    assert (rows["set"] == 0).all()


def test_other_real_people_are_no_nearer_to_one_half(experiment):
    rows = experiment.loc["other people"].xs("closest_record_share", level="metric")
    assert rows["value"].mean() == pytest.approx(0.5, abs=0.02)


def test_without_keys_rows_and_membership_remain(boys):
    cross = cross_fit(boys, infer_schema(boys), lambda train, address: [train], 1)
    measured = assess_excess(cross, keys=[], targets=["gen"], rng=generator(1), derived=["bmi"])
    assert {m.metric for m in measured} == {
        "exact_match_excess",
        "unique_exact_match_excess",
        "closest_record_share",
        "membership_distance_auc",
        "membership_distance_tpr",
        "membership_density_auc",
        "membership_density_tpr",
    }
    copied = {m.metric: m for m in measured}["exact_match_excess"]
    assert copied.value > 0.99
    assert copied.n == len(boys)
    with pytest.raises(DataError, match="not derived"):
        assess_excess(cross, keys=[], rng=generator(1), derived=cross.schema.names)


def test_copies_of_either_half_by_hand():
    frame = pd.DataFrame({"x": [1.0, 1.0, 2.0, 3.0, 4.5, 5.0]})
    schema = infer_schema(frame)
    real = encode_rounded(frame, schema)
    in_first = np.array([True, True, True, False, False, False])
    # From the first half 1, 2, 3, 9: two copies of its own records, one of them unique, one of others.
    # From the second half 4.5, 1: one copy, unique, and one of two equal records of the first.
    sets = (np.array([[1.0], [2.0], [3.0], [9.0]]),), (np.array([[4.5], [1.0]]),)
    cross = CrossFit(schema, real, in_first, sets)
    measured = {m.metric: m for m in assess_excess(cross, keys=[], rng=generator(1))}
    copies, unique = measured["exact_match_excess"], measured["unique_exact_match_excess"]
    assert (copies.value, copies.control, copies.n) == (
        pytest.approx(1 / 6),
        pytest.approx(2 / 6),
        6,
    )
    assert (unique.value, unique.control) == (pytest.approx(1 / 6), pytest.approx(1 / 6))
    # 1 and 2 lie at distance 0 from the first half, 3 and 9 are nearer to the second or as far from
    # both; 4.5 lies in the second half, 1 in the first.
    assert measured["closest_record_share"].value == pytest.approx((1 + 1 + 0 + 0.5 + 1 + 0) / 6)


def test_several_sets_do_not_add_evidence_they_do_not_have(boys):
    schema = infer_schema(boys)

    def excess(m):
        cross = cross_fit(boys, schema, lambda train, address: [train.head(60)] * m, 1)
        measured = assess_excess(cross, keys=["age"], targets=["reg"], rng=generator(1))
        return {(m.metric, m.target): m for m in measured}

    one, five = excess(1), excess(5)
    for name in [("exact_match_excess", ""), ("repU_excess", ""), ("disco_excess", "reg")]:
        assert five[name].value == pytest.approx(one[name].value)
        assert five[name].lower == pytest.approx(one[name].lower)
        assert five[name].control == pytest.approx(one[name].control)


def test_threads_and_sampling_are_deterministic(boys):
    cross = cross_fit(boys, infer_schema(boys), lambda train, address: [train.head(200)], 1)

    def ledger(workers):
        return make_ledger(
            assess_excess(
                cross,
                keys=["age"],
                targets=["reg", "hc"],
                rng=generator(1),
                max_rows=50,
                workers=workers,
            )
        )

    pd.testing.assert_frame_equal(ledger(1), ledger(2))


CELLS = st.tuples(
    st.one_of(st.none(), st.integers(-3, 3).map(float)),
    st.one_of(st.none(), st.sampled_from("abc")),
    st.one_of(st.none(), st.integers(0, 1).map(float)),
)


@settings(max_examples=12, deadline=None)
@given(st.lists(CELLS, min_size=4, max_size=14), st.lists(CELLS, min_size=1, max_size=8))
def test_every_figure_is_finite_and_within_bounds(rows, published):
    def frame(data):
        columns = pd.DataFrame(data, columns=["x", "c", "y"])
        return columns.astype({"x": float, "c": pd.CategoricalDtype(list("abc")), "y": float})

    schema = infer_schema(frame([(0.0, "a", 1.0), (1.0, "b", 2.0), (2.0, "c", 3.5)]))
    cross = cross_fit(frame(rows), schema, lambda train, address: [frame(published), train], 1)
    measured = assess_excess(cross, keys=["x"], targets=["c", "y"], rng=generator(1))
    bounds = {metric.name: metric for metric in EXCESS_METRICS}
    for m in measured:
        assert bounds[m.metric].minimum <= m.lower <= m.value + 1e-12
        assert m.value - 1e-12 <= m.upper <= bounds[m.metric].maximum
    by_target = {m.metric for m in measured if m.target == "c"}
    assert by_target == {*BY_TARGET, "attribute_prediction", "attribute_prediction_marginal"}
    assert by_target == {metric.name for metric in assess_cross_fit.TARGET_METRICS}
