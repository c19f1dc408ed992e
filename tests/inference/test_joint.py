"""Tests of several terms agree with R, reduce to tests of one, and hold their level."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synth_tasks.errors import PoolingError
from synth_tasks.inference import fit_model, pool, pool_statistics, wald_test
from synth_tasks.inference.pooled import PooledEstimates, Spread
from synth_tasks.inference.rules import RULES

R = json.loads((Path(__file__).parent / "fixtures" / "r_joint.json").read_text())


def fits_of(make_fit, estimates, covariances):
    return [
        make_fit(q, np.ones(len(q)), covariance=np.asarray(u))
        for q, u in zip(estimates, covariances, strict=True)
    ]


class TestAgreementWithMice:
    def test_d1(self, make_fit):
        pooled = pool(fits_of(make_fit, R["estimates"], R["covariances"]), "rubin1987")
        test = wald_test(pooled)
        assert test.statistic == pytest.approx(R["d1"]["F.value"], rel=1e-8)
        assert test.df1 == R["d1"]["df1"]

    def test_d2(self):
        test = pool_statistics(R["wald"], k=2)
        assert test.statistic == pytest.approx(R["d2"]["F.value"], rel=1e-8)
        assert test.df2 == pytest.approx(R["d2"]["df2"], rel=1e-8)
        assert test.p_value == pytest.approx(R["d2"]["P(>F)"], rel=1e-6)


def grid_of(rule, m=5, r=3):
    return m * r if rule == "reiter2004" else m, r if rule == "reiter2004" else 1


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "rrr2003"])
def test_one_term_gives_the_square_of_its_t_statistic(make_fit, rule):
    rng = np.random.default_rng(1)
    n_sets, r = grid_of(rule)
    estimates = 2 + 0.1 * rng.standard_normal((n_sets, 3))
    fits = [make_fit(q, [0.04, 0.05, 0.06]) for q in estimates]
    pooled = pool(fits, rule, r=r)
    test = wald_test(pooled, ["b"])
    row = pooled.table.set_index("term").loc["b"]
    assert test.statistic == pytest.approx(row["statistic"] ** 2)
    if rule in ("reiter2004", "raab2016", "population_synthetic"):  # the others approximate
        assert test.df2 == pytest.approx(row["df"])
        assert test.p_value == pytest.approx(row["p_value"])
    assert wald_test(pooled, ["b"], row["estimate"]).statistic == pytest.approx(0.0)


def test_one_term_of_nested_sets_is_tested_alike_where_its_variance_is_replaced(make_fit):
    rng = np.random.default_rng(2)
    terms = tuple(map(str, range(300)))
    fits = [make_fit(q, np.ones(300), terms=terms) for q in 1 + rng.standard_normal((4, 300))]
    pooled = pool(fits, "reiter2004", r=2)
    replaced = pooled.table["df"] == 1
    assert 20 < replaced.sum() < 100
    for _, row in pooled.table[replaced].iterrows():
        assert wald_test(pooled, [row["term"]]).p_value == pytest.approx(row["p_value"])


def test_terms_and_values_may_be_chosen(make_fit):
    fits = [make_fit([1 + s, 2 - s, 3], [0.1, 0.2, 0.3]) for s in (0.0, 0.1, 0.2)]
    pooled = pool(fits)
    far, near = wald_test(pooled, ["c", "a"]), wald_test(pooled, ["c", "a"], [3.0, 1.1])
    assert near.statistic == pytest.approx(0.0)
    assert far.statistic > 5
    with pytest.raises(PoolingError, match="unknown term 'z': use some of a, b, c"):
        wald_test(pooled, ["a", "z"])
    with pytest.raises(PoolingError, match="unknown term"):
        wald_test(pooled, [])


def test_terms_that_depend_on_each_other_are_refused(boys):
    halves = (boys[::2], boys[1::2])
    pooled = pool([fit_model(half, "mean", variables=["reg"]) for half in halves])
    with pytest.raises(PoolingError, match="of proportions that add up to 1 leave one out"):
        wald_test(pooled)
    assert wald_test(pooled, pooled.table["term"][1:]).df1 == 4


def test_units_of_terms_do_not_matter(make_fit):
    rng = np.random.default_rng(3)
    estimates = rng.normal(size=(4, 2))
    plain = wald_test(pool([make_fit(q, [1.0, 2.0]) for q in estimates]))
    scaled = wald_test(pool([make_fit(q * [1e-9, 1e9], [1e-18, 2e18]) for q in estimates]))
    assert scaled.statistic == pytest.approx(plain.statistic)
    assert scaled.df2 == pytest.approx(plain.df2)


def test_equal_sets_leave_the_test_of_one(make_fit):
    fits = [make_fit([1.0, 2.0], [0.5, 0.5])] * 4
    test = wald_test(pool(fits))
    assert test.df2 == np.inf
    assert test.p_value == pytest.approx(stats.chi2.sf(10.0, 2))


def test_what_is_not_defined_is_refused(make_fit):
    fits = [make_fit([1.0, 2.0], [5.0, 5.0]), make_fit([1.1, 2.1], [5.0, 5.0])]
    with pytest.raises(PoolingError, match=r"not defined here.* more sets"):
        wald_test(pool(fits, "rrr2003"))
    with pytest.raises(PoolingError, match="needs more than 2 sets, not 2: raise m"):
        wald_test(pool(fits, "population_imputed"))
    for statistics in ([1.0], [1.0, -1.0], [1.0, np.nan]):
        with pytest.raises(PoolingError, match="two or more finite statistics"):
            pool_statistics(statistics, 1)


# --- level ----------------------------------------------------------------------------------------


def spread_of(estimates: np.ndarray, m: int, r: int = 1, ubar: float = 1.0) -> Spread:
    nests = estimates.reshape(m, r, -1)
    k = nests.shape[2]
    means = nests.mean(axis=1)
    within = None
    if r > 1:
        within = np.mean([np.atleast_2d(np.cov(nest.T)) for nest in nests], axis=0)
    b = np.atleast_2d(np.cov(means.T))
    return Spread(means.mean(axis=0), ubar * np.eye(k), b, m, r, within, 1.0)


def draw_sets(rule: str, k: int, m: int, ratio: float, rng: np.random.Generator) -> Spread:
    """Draw the estimates of sets where the hypothesis holds and the variance within sets is 1."""
    z = rng.standard_normal
    sample, noise = z(k), np.sqrt(ratio)
    if rule == "rubin1987":
        return spread_of(sample + noise * z(k) + noise * z((m, k)), m)
    if rule == "rrr2003":
        return spread_of(sample + z((m, k)) + z((m, k)), m)
    if rule == "reiter2004":
        imputed = sample + noise * z(k) + noise * z((m, 1, k))
        return spread_of((imputed + noise * z((m, 3, k))).reshape(3 * m, k), m, 3)
    if rule == "population_synthetic":
        return spread_of(noise * z((m, k)), m)
    return spread_of(sample + noise * z((m, k)), m)


def rejection_rate(rule: str, k: int, m: int, ratio: float, replicates: int) -> float:
    rng = np.random.default_rng([k, m, round(100 * ratio)])
    spreads = [draw_sets(rule, k, m, ratio, rng) for _ in range(replicates)]
    terms = pd.DataFrame({"term": list("abcdefghij"[:k])})
    template = PooledEstimates(terms, rule, m, "ols", "y", 0.95, spreads[0])
    tests = [wald_test(replace(template, spread=spread)) for spread in spreads]
    return float(np.mean([test.p_value < 0.05 for test in tests]))


CASES = [
    ("reiter2003", 2, 5, 1.0, 0.05),
    ("reiter2003", 5, 10, 2.0, 0.05),
    ("reiter2003", 5, 5, 0.5, 0.05),
    ("rubin1987", 2, 5, 0.5, 0.05),
    ("rubin1987", 5, 10, 0.5, 0.05),
    ("rrr2003", 2, 50, 1.0, 0.05),
    ("rrr2003", 5, 50, 1.0, 0.05),
    ("reiter2004", 2, 5, 0.5, 0.045),
    ("population_synthetic", 2, 5, 1.0, 0.05),
]


@pytest.mark.parametrize(("rule", "k", "m", "ratio", "expected"), CASES)
def test_the_level_is_near_five_per_cent(rule, k, m, ratio, expected):
    rate = rejection_rate(rule, k, m, ratio, replicates=1500)
    assert rate == pytest.approx(expected, abs=4 * np.sqrt(0.05 * 0.95 / 1500))


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "k", "m", "ratio", "expected"), CASES)
def test_the_level_is_five_per_cent(rule, k, m, ratio, expected):
    rate = rejection_rate(rule, k, m, ratio, replicates=20_000)
    assert rate == pytest.approx(expected, abs=0.01)
