"""The result of an imputation or a synthesis."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from synth_tasks.engine import MultiplyImputed, mice, synthesize
from synth_tasks.errors import ConvergenceWarning, PlanError, PoolingError
from synth_tasks.inference import chi_squared_test, likelihood_ratio_test, pool

FRAME = pd.DataFrame(
    {
        "a": [1.0, None, 3.0, 4.0, 2.0, 1.5] * 5,
        "g": pd.Categorical(["u", "v", None, "u", "v", "v"] * 5),
        "n": [1, 2, 3, 4, 5, 6] * 5,
    },
    index=[f"row {i}" for i in range(30)],
)


@pytest.fixture(scope="module")
def imputed() -> MultiplyImputed:
    return mice(FRAME, m=3, maxit=2, seed=1)


@pytest.fixture(scope="module")
def synthetic() -> MultiplyImputed:
    return synthesize(FRAME.dropna(), m=2, seed=1)


def test_a_number_gives_a_set(imputed: MultiplyImputed) -> None:
    assert imputed.m == 3
    one = imputed.complete(2)
    assert list(one.index) == list(FRAME.index)
    pd.testing.assert_series_equal(one.dtypes, FRAME.dtypes)
    assert not one.isna().any(axis=None)
    observed = FRAME.notna()
    pd.testing.assert_frame_equal(one.where(observed), FRAME)
    pd.testing.assert_frame_equal(imputed.complete(np.int64(2)), one)
    pd.testing.assert_frame_equal(imputed.complete(), imputed.complete(1))


def test_several_numbers_give_a_list(imputed: MultiplyImputed) -> None:
    third, first = imputed.complete([3, 1])
    pd.testing.assert_frame_equal(third, imputed.complete(3))
    pd.testing.assert_frame_equal(first, imputed.complete(1))
    assert len(imputed.complete("all")) == 3


def test_long_stacks_the_sets_with_their_numbers(imputed: MultiplyImputed) -> None:
    long = imputed.complete("long")
    assert list(long.columns) == ["a", "g", "n", ".imp", ".id"]
    assert long[".imp"].tolist() == [1] * 30 + [2] * 30 + [3] * 30
    assert long[".id"].tolist() == list(range(1, 31)) * 3
    second = long[long[".imp"] == 2].drop(columns=[".imp", ".id"])
    pd.testing.assert_frame_equal(second.set_axis(FRAME.index), imputed.complete(2))
    with_original = imputed.complete("long", include_original=True)
    assert with_original[".imp"].tolist()[:30] == [0] * 30
    assert with_original.iloc[:30].isna().sum().sum() == 10


def test_stacked_does_so_without_numbers(imputed: MultiplyImputed) -> None:
    stacked = imputed.complete("stacked")
    assert stacked.shape == (90, 3)
    assert list(stacked.index) == list(range(90))


def test_broad_and_repeated_put_the_sets_side_by_side(imputed: MultiplyImputed) -> None:
    broad = imputed.complete("broad")
    assert list(broad.columns) == ["a.1", "g.1", "n.1", "a.2", "g.2", "n.2", "a.3", "g.3", "n.3"]
    repeated = imputed.complete("repeated")
    assert list(repeated.columns)[:4] == ["a.1", "a.2", "a.3", "g.1"]
    pd.testing.assert_frame_equal(repeated[broad.columns], broad)
    assert broad["a.2"].tolist() == imputed.complete(2)["a"].tolist()
    assert "a.0" in imputed.complete("broad", include_original=True)


def test_the_original_comes_first(imputed: MultiplyImputed) -> None:
    for action in ("all", [1, 2, 3]):
        frames = imputed.complete(action, include_original=True)
        assert len(frames) == 4
        pd.testing.assert_frame_equal(frames[0], FRAME)
    original, second = imputed.complete(2, include_original=True)
    pd.testing.assert_frame_equal(original, FRAME)
    pd.testing.assert_frame_equal(second, imputed.complete(2))


def test_unknown_sets_and_layouts_are_refused(imputed: MultiplyImputed) -> None:
    for number in (0, 4, -1):
        with pytest.raises(PlanError, match=f"there is no set {number}: sets are numbered 1..3"):
            imputed.complete(number)
    with pytest.raises(PlanError, match=r"complete: unknown action 'wide'; use 1..3, all, long"):
        imputed.complete("wide")


def test_a_synthesis_keeps_no_original(synthetic: MultiplyImputed) -> None:
    assert synthetic.original is None
    with pytest.raises(PlanError, match="the original data are not kept with a synthesis"):
        synthetic.complete("long", include_original=True)
    assert list(synthetic.complete(1).index) == list(range(20))


def test_provenance_says_how_the_sets_were_made(
    imputed: MultiplyImputed, synthetic: MultiplyImputed
) -> None:
    p = imputed.provenance
    assert (p.stage, p.m, p.r, p.n, p.k, p.synthesised) == ("imputation", 3, 1, 30, 30, ())
    assert p.methods == {"a": "pmm", "g": "logreg"}
    p = synthetic.provenance
    assert (p.stage, p.m, p.r, p.proper, p.conditioning) == ("synthesis", 2, 1, False, "synthetic")
    assert p.synthesised == ("a", "g", "n")


def test_the_pooling_rule_follows_from_it(
    imputed: MultiplyImputed, synthetic: MultiplyImputed
) -> None:
    assert imputed.pooling_rule == "rubin1987"
    assert synthetic.pooling_rule == "reiter2003"
    both = mice(FRAME, m=2, maxit=1, where="all", method="cart", seed=1)
    assert both.provenance.stage == "imputation and synthesis"
    with pytest.raises(PoolingError, match="impute once"):
        _ = both.pooling_rule


def test_models_are_fitted_to_every_set(imputed: MultiplyImputed) -> None:
    fits = imputed.fit("ols", "a ~ n")
    assert len(fits) == 3
    slope = np.polyfit(imputed.complete(2)["n"], imputed.complete(2)["a"], 1)[0]
    assert dict(zip(fits[1].terms, fits[1].estimates, strict=True))["n"] == pytest.approx(slope)


def test_tests_and_options_follow_the_rule_of_the_sets(
    imputed: MultiplyImputed, synthetic: MultiplyImputed
) -> None:
    for sets, rule in ((imputed, "rubin1987"), (synthetic, "reiter2003")):
        larger, smaller = sets.fit("ols", "a ~ n + g"), sets.fit("ols", "a ~ n")
        expected = likelihood_ratio_test(larger, smaller, rule)
        assert sets.likelihood_ratio_test("ols", "a ~ n + g", "a ~ n") == expected
        robust = sets.pool("ols", "a ~ n", covariance="HC3", confidence=0.9)
        fits = sets.fit("ols", "a ~ n", covariance="HC3")
        pd.testing.assert_frame_equal(robust.table, pool(fits, rule, 0.9).table)
        median = sets.pool("quantile", variables=["a"], probabilities=[0.5])
        assert median.table["term"].tolist() == ["a[50%]"]
    with pytest.raises(PoolingError, match="rubin1987 does not hold"):
        synthetic.likelihood_ratio_test("ols", "a ~ n", "a ~ 1", rule="rubin1987")


def test_independence_is_tested_in_imputed_sets(
    imputed: MultiplyImputed, synthetic: MultiplyImputed
) -> None:
    frame = FRAME.assign(h=pd.Categorical(["x", "y", "y"] * 10))
    sets = mice(frame, m=3, maxit=1, seed=1)
    assert sets.chi_squared_test(["g", "h"]) == chi_squared_test(sets.complete("all"), ["g", "h"])
    with pytest.raises(PoolingError, match="use likelihood_ratio_test"):
        synthetic.chi_squared_test(["g", "g"])


@pytest.mark.filterwarnings("ignore:formula")
def test_fits_that_do_not_converge_are_pooled_only_if_asked_for(imputed: MultiplyImputed) -> None:
    frame = FRAME.assign(high=FRAME["n"] > 3).dropna()
    sets = synthesize(frame, m=2, seed=1, method="sample")
    separated = replace(
        sets, sets=tuple(np.column_stack([s[:, :-1], s[:, 2] > 3]) for s in sets.sets)
    )
    with pytest.raises(PoolingError, match="2 of 2 fits did not converge"):
        separated.pool("logit", "high ~ n")
    with pytest.warns(ConvergenceWarning, match="pooled all the same"):
        assert list(separated.pool("logit", "high ~ n", unconverged="keep").unconverged) == [1, 2]


def test_events_are_a_table(synthetic: MultiplyImputed, imputed: MultiplyImputed) -> None:
    events = synthetic.logged_events
    assert list(events.columns) == ["imputation", "iteration", "variable", "event"]
    assert events.iloc[0].tolist() == [0, 0, "a", "has no predictor yet: drawn from its margin"]
    assert imputed.logged_events.empty


def test_the_long_file_is_written_as_r_reads_it(imputed: MultiplyImputed, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    imputed.to_long_csv(path)
    head = path.read_text().splitlines()
    assert head[0] == ".imp,.id,a,g,n"
    assert head[2] == "0,2,NA,v,2"
    back = pd.read_csv(path)
    assert back.shape == (120, 5)
    assert back[back[".imp"] == 0].isna().sum().sum() == 10
    assert not back[back[".imp"] > 0].isna().any(axis=None)


# --- syntheses of each imputation -----------------------------------------------------------------


@pytest.fixture(scope="module")
def nested() -> MultiplyImputed:
    return mice(FRAME, m=2, r=3, maxit=1, where="all", method="cart", seed=1)


def test_syntheses_stand_side_by_side_by_imputation(nested: MultiplyImputed) -> None:
    assert nested.m == 6
    p = nested.provenance
    assert (p.stage, p.m, p.r) == ("imputation and synthesis", 2, 3)
    assert len({s.tobytes() for s in nested.sets}) == 6
    # Set 4 is the first synthesis of the second imputation, whatever the number of syntheses.
    fewer = mice(FRAME, m=2, r=2, maxit=1, where="all", method="cart", seed=1)
    np.testing.assert_array_equal(fewer.sets[2], nested.sets[3])
    np.testing.assert_array_equal(fewer.sets[1], nested.sets[1])


def test_nested_sets_are_pooled_by_their_rule(nested: MultiplyImputed) -> None:
    assert nested.pooling_rule == "reiter2004"
    pooled = nested.pool("ols", "a ~ n")
    estimates = [fit.estimates for fit in nested.fit("ols", "a ~ n")]
    np.testing.assert_allclose(pooled.table["estimate"], np.mean(estimates, axis=0))


@pytest.mark.parametrize(("m", "r"), [(1, 2), (2, 1)])
def test_one_of_either_cannot_be_pooled(m: int, r: int) -> None:
    made = mice(FRAME, m=m, r=r, maxit=1, where="all", method="cart", seed=1)
    with pytest.raises(PoolingError, match="2 or more imputations of 2 or more syntheses"):
        made.pool("ols", "a ~ n")


# --- going on -------------------------------------------------------------------------------------


@pytest.mark.parametrize("proper", [False, True])
@pytest.mark.parametrize("workers", [1, 3])
def test_five_and_five_sweeps_are_ten(proper: bool, workers: int) -> None:
    settings = {"m": 2, "proper": proper, "seed": 1, "method": {"a": "cart"}}
    ten = mice(FRAME, maxit=10, **settings)
    both = mice(FRAME, maxit=5, **settings).more_sweeps(5, workers=workers)
    assert [s.tobytes() for s in both.sets] == [s.tobytes() for s in ten.sets]
    np.testing.assert_array_equal(both.chain_means, ten.chain_means)
    np.testing.assert_array_equal(both.chain_variances, ten.chain_variances)
    assert both.plan is not None
    assert both.plan.maxit == 10
    thrice = mice(FRAME, maxit=3, **settings).more_sweeps(3).more_sweeps(4)
    assert thrice.sets[1].tobytes() == ten.sets[1].tobytes()


def test_so_they_are_with_holes_that_are_filled_to_predict_only() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((40, 3)), columns=list("abc"))
    frame["b"] += frame["a"]
    frame.loc[:9, "a"] = np.nan
    frame.loc[5:19, "b"] = np.nan
    where = frame.isna()
    where.loc[:4, "a"] = False
    settings = {"m": 1, "where": where, "method": "norm", "seed": 1}
    two = mice(frame, maxit=2, **settings)
    both = mice(frame, maxit=1, **settings).more_sweeps(1)
    np.testing.assert_array_equal(both.sets[0], two.sets[0])
    assert both.complete(1).loc[:4, "a"].isna().all()


def test_so_they_are_with_passive_variables() -> None:
    frame = FRAME.assign(double=FRAME["a"] * 2 + 0.25)
    settings = {"m": 1, "seed": 1, "method": {"double": "~ a * 2 + 0.25"}}
    four = mice(frame, maxit=4, **settings)
    both = mice(frame, maxit=2, **settings).more_sweeps(2)
    np.testing.assert_array_equal(both.sets[0], four.sets[0])


def test_sweeps_are_counted(imputed: MultiplyImputed, synthetic: MultiplyImputed) -> None:
    for number in (0, -1, 1.5, True):
        with pytest.raises(PlanError, match="maxit must be a whole number of 1 or more"):
            imputed.more_sweeps(number)  # type: ignore[arg-type]
    with pytest.raises(PlanError, match="there are no chains"):
        synthetic.more_sweeps(1)


# --- binding --------------------------------------------------------------------------------------

MANY = pd.DataFrame(
    {
        "a": np.where(np.arange(60) % 3 == 0, np.nan, np.random.default_rng(0).standard_normal(60)),
        "n": np.random.default_rng(1).standard_normal(60),
    }
)


@pytest.fixture(scope="module")
def many() -> MultiplyImputed:
    return mice(MANY, m=3, maxit=2, method="norm", seed=1)


def test_results_of_other_seeds_are_put_together(many: MultiplyImputed) -> None:
    other = mice(MANY, m=2, maxit=2, method="norm", seed=2)
    both = many.bind(other)
    assert both.m == both.provenance.m == 5
    np.testing.assert_array_equal(both.sets[3], other.sets[0])
    assert both.chain_means is not None
    assert both.chain_means.shape == (2, 1, 5)
    assert both.pooling_rule == "rubin1987"
    with pytest.raises(PlanError, match="continue each of them, then bind"):
        both.more_sweeps(1)


def test_the_same_seed_is_refused(many: MultiplyImputed, synthetic: MultiplyImputed) -> None:
    with pytest.raises(PlanError, match="made with the same seed"):
        many.bind(mice(MANY, m=1, maxit=2, method="norm", seed=1))
    with pytest.raises(PlanError, match="use another one"):
        synthetic.bind(synthesize(FRAME.dropna(), m=1, seed=1))


def test_sets_that_are_equal_by_chance_are_put_together() -> None:
    frame = pd.DataFrame({"x": np.arange(20.0), "g": ["u", "v"] * 9 + ["u", None]})
    both = mice(frame, m=8, maxit=1, seed=1).bind(mice(frame, m=8, maxit=1, seed=2))
    assert both.m == 16


def test_other_data_and_settings_are_refused(many: MultiplyImputed) -> None:
    changed = MANY.assign(n=MANY["n"] + 1)
    with pytest.raises(PlanError, match="bind: the two results come from different data"):
        many.bind(mice(changed, m=1, maxit=2, method="norm", seed=2))
    with pytest.raises(PlanError, match="bind: 2 and 3 sweeps; use the same maxit"):
        many.bind(mice(MANY, m=1, maxit=3, method="norm", seed=2))
    for other in (
        mice(MANY, m=1, maxit=2, method="cart", seed=2),
        mice(MANY.rename(columns={"n": "o"}), m=1, maxit=2, method="norm", seed=2),
        synthesize(MANY.dropna(), m=1, seed=2),
    ):
        with pytest.raises(PlanError, match="different variables or settings"):
            many.bind(other)


def test_nested_sets_are_bound_by_imputations(nested: MultiplyImputed) -> None:
    other = mice(FRAME, m=1, r=3, maxit=1, where="all", method="cart", seed=9)
    both = nested.bind(other)
    assert (both.m, both.provenance.m, both.provenance.r) == (9, 3, 3)
    assert both.pooling_rule == "reiter2004"


# --- diagnoses ------------------------------------------------------------------------------------


def test_convergence_is_tabulated_by_sweep_and_variable(imputed: MultiplyImputed) -> None:
    table = imputed.convergence()
    assert list(table.columns) == ["iteration", "variable", "autocorrelation", "rhat"]
    assert set(table["variable"]) == {"a", "g"}
    assert len(imputed.convergence("sd")) == len(table) == 4


def test_pictures_are_figures(imputed: MultiplyImputed, synthetic: MultiplyImputed) -> None:
    figures = [imputed.plot_trace(), imputed.plot_density(), imputed.plot_strip()]
    figures += [synthetic.plot_density(data=FRAME.dropna()), synthetic.plot_strip(["a"])]
    for figure in figures:
        assert isinstance(figure, plt.Figure)
        assert figure.axes
        plt.close(figure)


def test_a_synthesis_has_no_chains_to_draw(synthetic: MultiplyImputed) -> None:
    for method in (synthetic.plot_trace, synthetic.convergence):
        with pytest.raises(PlanError, match="there are no chains"):
            method()
