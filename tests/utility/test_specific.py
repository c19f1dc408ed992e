import math

import pytest

from synth_tasks import fit_model, pool, synthesize
from synth_tasks.errors import PoolingError
from synth_tasks.utility import SPECIFIC_METRICS, Estimates, HowMade, compare_estimates

FORMULA = "hgt ~ age + wgt"
BOUNDS = {metric.name: (metric.minimum, metric.maximum) for metric in SPECIFIC_METRICS}


@pytest.fixture(scope="module")
def whole(boys):
    return boys[["age", "hgt", "wgt", "reg"]].dropna().reset_index(drop=True)


def compare(real, sets, **how):
    pooled = pool([fit_model(s, "ols", FORMULA) for s in sets])
    return compare_estimates(
        Estimates.from_fit(fit_model(real, "ols", FORMULA)),
        Estimates.from_pooled(pooled),
        HowMade(m=len(sets), rule="reiter2003", **how),
        label="growth",
    )


def test_all_metrics_are_measured_within_their_bounds(whole):
    measured = compare(whole, synthesize(whole, m=3, seed=1).complete("all"))
    assert {m.metric for m in measured} == set(BOUNDS)
    for m in measured:
        assert math.isfinite(m.value)
        assert BOUNDS[m.metric][0] <= m.value <= BOUNDS[m.metric][1]
        assert m.target.startswith("growth")


def test_lost_relations_do_not_fit(whole):
    torn = [
        whole.assign(wgt=whole["wgt"].sample(frac=1, random_state=i).to_numpy()) for i in range(3)
    ]
    found = {m.metric: m.value for m in compare(whole, torn) if m.target == "growth"}
    assert found["interval_overlap_min"] < 0
    assert found["lack_of_fit"] > 10
    assert found["lack_of_fit_p"] < 1e-6


def test_other_models_are_refused(whole):
    real = Estimates.from_fit(fit_model(whole, "ols", FORMULA))
    other = Estimates.from_fit(fit_model(whole, "ols", "hgt ~ age"))
    with pytest.raises(PoolingError, match="wgt"):
        compare_estimates(real, other, HowMade(), label="growth")
