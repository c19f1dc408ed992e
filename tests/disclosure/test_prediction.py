import math

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.disclosure.cross_fitting import cross_fit
from synth_tasks.disclosure.prediction import measure_prediction
from synth_tasks.errors import DataError
from synth_tasks.seeding import generator


def predict(table, target, synthesise, **options):
    cross = cross_fit(table, infer_schema(table), synthesise, 1)
    keys = [name for name in table if name != target]
    measured = measure_prediction(cross, keys, target, generator(1), **options)
    return {m.metric.removeprefix("attribute_prediction").strip("_"): m for m in measured}


def copy(train, address):
    return [train]


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(1)
    age = np.round(rng.uniform(18, 80, 1200), 1)
    code = np.round(rng.uniform(0, 1000, 1200), 1)
    job = pd.Categorical.from_codes((age > 50).astype(int), categories=["work", "retired"])
    illness = pd.Categorical.from_codes(
        rng.choice(3, 1200, p=[0.5, 0.3, 0.2]), categories=["none", "mild", "severe"]
    )
    return pd.DataFrame({"age": age, "code": code, "job": job, "illness": illness})


def test_what_is_true_of_everybody_is_no_excess(people):
    found = predict(people[["age", "job"]], "job", copy)
    assert found[""].value > 0.99
    assert found[""].control > 0.98
    assert abs(found["excess"].value) < 0.01
    assert found["marginal"].value == pytest.approx((people["job"] == "work").mean(), abs=0.01)


def test_what_is_true_of_single_records_is_excess(people):
    # Illness depends on nothing: only copies of the records can tell.
    found = predict(people[["age", "code", "illness"]], "illness", copy)
    assert found[""].value > 0.7
    assert found[""].control < 0.55
    assert found["excess"].value == pytest.approx(found[""].value - found[""].control)
    assert found["excess"].lower > 0.2
    assert found["excess"].control == found[""].control
    assert found["excess"].null == 0
    assert math.isnan(found[""].null)
    assert {m.n for m in found.values()} == {1200}
    assert {m.keys for m in found.values()} == {"age+code"}


def test_numbers_are_known_within_the_tolerance():
    rng = np.random.default_rng(2)
    x = rng.normal(size=3000)
    table = pd.DataFrame({"x": x, "y": 10 * x})
    spread = np.subtract(*np.quantile(table["y"], [0.75, 0.25]))
    near, far = (
        predict(table, "y", lambda train, address, shift=shift: [
            train.assign(y=train["y"] + shift * spread)
        ])
        for shift in (0.05, 0.15)
    )  # fmt: skip
    assert near[""].value > 0.95
    assert far[""].value < 0.05
    wide = predict(
        table,
        "y",
        lambda train, address: [train.assign(y=train["y"] + 0.15 * spread)],
        tolerance=0.2,
    )
    assert wide[""].value > 0.95


def test_the_best_single_guess_is_the_densest_place():
    rng = np.random.default_rng(3)
    y = np.concatenate([np.zeros(400), rng.uniform(50, 150, 600)])
    table = pd.DataFrame({"x": rng.normal(size=1000), "y": np.round(rng.permutation(y), 2)})
    assert predict(table, "y", copy)["marginal"].value == pytest.approx(0.4, abs=0.02)


def test_missing_categories_are_known_and_missing_numbers_left_out(boys):
    found = predict(boys[["age", "gen"]], "gen", copy)
    assert found[""].n == 748
    assert found["marginal"].value == pytest.approx(boys["gen"].isna().mean(), abs=0.01)
    assert predict(boys[["age", "tv"]], "tv", copy)[""].n == boys["tv"].notna().sum()
    gone = predict(boys[["age", "tv"]], "tv", lambda train, address: [train.assign(tv=np.nan)])
    assert gone == {}


def test_large_tables_are_sampled(people):
    found = predict(people[["age", "job"]], "job", copy, max_rows=300)
    assert {m.n for m in found.values()} == {300}


def test_a_target_needs_keys_other_than_itself(people):
    cross = cross_fit(people, infer_schema(people), copy, 1)
    for keys in ([], ["job", "age"]):
        with pytest.raises(DataError, match=r"disclosure\.keys"):
            measure_prediction(cross, keys, "job", generator(1))
