"""Pooling rules give R's numbers, hold their level and never fail silently."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from synth_tasks.errors import PoolingError
from synth_tasks.inference import fit_model, pool, summarize
from synth_tasks.inference.pooled import COLUMNS

CASES = range(3)
ONE_STAGE = ["reiter2003", "rubin1987"]


class TestAgreementWithMice:
    @pytest.mark.parametrize("rule", ["reiter2003", "rubin1987"])
    @pytest.mark.parametrize("case", CASES)
    def test_pool_scalar(self, r_pooling, make_fit, case, rule):
        given_values = r_pooling[case]
        fits = [
            make_fit([q], [u], df_residual=given_values["df_complete"])
            for q, u in zip(given_values["q"], given_values["u"], strict=True)
        ]
        row = pool(fits, rule).table.iloc[0]
        for column, expected in given_values[rule].items():
            assert row[column] == pytest.approx(expected, rel=1e-9), column

    def test_published_check_values(self, make_fit):
        fits = [make_fit([q], [u], df_residual=98) for q, u in [(1, 0.1), (1.2, 0.11), (0.9, 0.09)]]
        synthetic, imputed = (pool(fits, rule).table.iloc[0] for rule in ONE_STAGE)
        assert synthetic["t"] == pytest.approx(0.1077778, abs=1e-7)
        assert synthetic["df"] == pytest.approx(384.0408, abs=1e-4)
        assert imputed["t"] == pytest.approx(0.1311111, abs=1e-7)
        assert imputed["df"] == pytest.approx(23.92242, abs=1e-5)
        assert imputed["fmi"] == pytest.approx(0.2939481, abs=1e-7)


def rejection_rate(make_fit, rule, estimates, variances):
    """Share of replicates whose 95 % interval misses zero, and its Monte Carlo standard error."""
    terms = tuple(str(i) for i in range(estimates.shape[1]))
    fits = [make_fit(q, u, terms=terms) for q, u in zip(estimates, variances, strict=True)]
    rate = (pool(fits, rule).table["p_value"] < 0.05).mean()
    return rate, np.sqrt(0.05 * 0.95 / estimates.shape[1])


class TestLevel:
    """Intervals for a mean of 0 from n = 500 rows; the estimates of 2000 replicates are its terms."""

    N, REPLICATES = 500, 2000

    @pytest.mark.parametrize("m", [2, 5, 10])
    def test_reiter_on_sets_drawn_from_the_fitted_model(self, make_fit, m):
        rng = np.random.default_rng(20 + m)
        observed = rng.normal(scale=self.N**-0.5, size=self.REPLICATES)
        synthetic = observed + rng.normal(scale=self.N**-0.5, size=(m, self.REPLICATES))
        variances = rng.chisquare(self.N - 1, size=synthetic.shape) / (self.N - 1) / self.N
        rate, error = rejection_rate(make_fit, "reiter2003", synthetic, variances)
        assert abs(rate - 0.05) < 3 * error

    def test_rubin_on_sets_with_a_third_imputed(self, make_fit):
        rng = np.random.default_rng(30)
        seen = 2 * self.N // 3
        mean_seen = rng.normal(scale=seen**-0.5, size=self.REPLICATES)
        drawn_mean = mean_seen + rng.normal(scale=seen**-0.5, size=(10, self.REPLICATES))
        mean_filled = drawn_mean + rng.normal(scale=(self.N - seen) ** -0.5, size=drawn_mean.shape)
        estimates = (seen * mean_seen + (self.N - seen) * mean_filled) / self.N
        rate, error = rejection_rate(
            make_fit, "rubin1987", estimates, np.full_like(estimates, 1 / self.N)
        )
        assert abs(rate - 0.05) < 3 * error

    def test_the_rule_for_imputed_sets_is_too_wide_for_synthetic_ones(self, make_fit):
        rng = np.random.default_rng(40)
        observed = rng.normal(size=self.REPLICATES)
        synthetic = observed + rng.normal(size=(5, self.REPLICATES))
        rate, error = rejection_rate(make_fit, "rubin1987", synthetic, np.ones_like(synthetic))
        assert rate < 0.05 - 3 * error


finite = st.floats(-1e6, 1e6)
variance = st.floats(0, 1e6)


class TestProperties:
    @given(
        sets=st.integers(2, 6).flatmap(
            lambda m: st.lists(st.tuples(finite, variance), min_size=m, max_size=m)
        ),
        rule=st.sampled_from(ONE_STAGE),
        df_complete=st.sampled_from([3.0, 50.0, np.inf]),
    )
    @settings(max_examples=200, deadline=None)
    def test_nothing_that_is_due_is_ever_nan(self, sets, rule, df_complete):
        from synth_tasks.inference import ModelFit

        fits = [
            ModelFit("mean", "a", ("a",), np.array([q]), np.array([[u]]), df_complete, 60)
            for q, u in sets
        ]
        row = pool(fits, rule).table.iloc[0]
        due = [c for c in COLUMNS if c != "term" and not (c == "fmi" and rule == "reiter2003")]
        assert not row[due].astype(float).isna().any()
        assert row["conf_low"] <= row["estimate"] <= row["conf_high"]
        assert row["t"] >= row["ubar"] * (1 - 1e-12)
        assert 0 <= row["lambda"] <= 1
        assert 0 <= row["p_value"] <= 1

    def test_order_of_the_sets_does_not_matter(self, make_fit):
        fits = [make_fit([q, -q], [1, 2]) for q in (1.0, 2.0, 4.0)]
        here, there = pool(fits).table, pool(fits[::-1]).table
        np.testing.assert_allclose(
            here.drop(columns=["term", "fmi"]), there.drop(columns=["term", "fmi"])
        )

    def test_interval_excludes_zero_exactly_if_p_is_below_its_level(self, make_fit):
        fits = [make_fit([q, 3 * q], [1.0, 1.0]) for q in (0.5, 0.9, 1.3)]
        table = pool(fits, confidence=0.9).table
        excludes = (table["conf_low"] > 0) | (table["conf_high"] < 0)
        assert list(excludes) == list(table["p_value"] < 0.1) == [False, True]


class TestBoundaries:
    def test_rubin_with_next_to_no_missing_information_is_stable(self, make_fit):
        # mice before 3.19 cuts lambda at .0001 and is off by two degrees of freedom here.
        fits = [make_fit([q], [2.0], df_residual=9999) for q in (10, 10 + 1e-9)]
        row = pool(fits, "rubin1987").table.iloc[0]
        assert row["df"] == pytest.approx(9999 * 10000 / 10002)

    @pytest.mark.parametrize("rule", ONE_STAGE)
    def test_equal_sets_add_no_variance(self, make_fit, rule):
        row = pool([make_fit([2.0], [0.25])] * 3, rule).table.iloc[0]
        assert (row["t"], row["b"], row["r"], row["lambda"]) == (0.25, 0, 0, 0)
        assert np.isinf(row["df"])
        assert row["conf_high"] == pytest.approx(2 + 1.959964 * 0.5)

    @pytest.mark.parametrize("rule", ONE_STAGE)
    @pytest.mark.parametrize(("estimate", "p_value"), [(0.0, 1.0), (2.0, 0.0)])
    def test_no_variance_at_all_gives_an_interval_of_width_zero(
        self, make_fit, rule, estimate, p_value
    ):
        row = pool([make_fit([estimate], [0.0])] * 3, rule).table.iloc[0]
        assert row["conf_low"] == row["conf_high"] == estimate
        assert row["p_value"] == p_value

    @pytest.mark.parametrize("rule", ONE_STAGE)
    @pytest.mark.parametrize("df_residual", [20.0, np.inf])
    def test_no_variance_within_sets_leaves_that_between_them(self, make_fit, rule, df_residual):
        fits = [make_fit([q], [0.0], df_residual=df_residual) for q in (1, 2, 3)]
        row = pool(fits, rule).table.iloc[0]
        assert row["df"] == pytest.approx(2)
        assert np.isinf(row["r"])
        assert row["lambda"] == 1

    def test_fraction_of_missing_information_is_not_defined_for_synthetic_sets(self, make_fit):
        assert pool([make_fit([q], [1.0]) for q in (1, 2)]).table["fmi"].isna().all()


class TestSetsOfAnotherSize:
    """Sets of k rows from models of n rows: T = ubar k/n + b/m."""

    @pytest.mark.parametrize("k", [50, 2000])
    def test_size(self, make_fit, k):
        rng, n, m, replicates = np.random.default_rng(60), 200, 5, 3000
        observed = rng.normal(scale=n**-0.5, size=replicates)
        synthetic = observed + rng.normal(scale=k**-0.5, size=(m, replicates))
        terms = tuple(str(i) for i in range(replicates))
        fits = [make_fit(q, np.full(replicates, 1 / k), terms=terms, n=k) for q in synthetic]
        rates = [(pool(fits, n=size).table["p_value"] < 0.05).mean() for size in (n, None)]
        error = np.sqrt(0.05 * 0.95 / replicates)
        assert abs(rates[0] - 0.05) < 3 * error
        assert abs(rates[1] - 0.05) > 6 * error

    @pytest.mark.parametrize("n", [0, -3, 2.5, True])
    def test_the_sample_has_rows(self, make_fit, n):
        with pytest.raises(PoolingError, match="n must be the number of rows"):
            pool([make_fit([1.0], [1.0])] * 2, n=n)


class TestNestedSets:
    """Imputations of incomplete data, each synthesised r times."""

    def test_total_variance_and_degrees_of_freedom_by_hand(self, make_fit):
        fits = [make_fit([q], [0.5]) for q in (1.0, 1.4, 2.0, 2.2)]
        row = pool(fits, "reiter2004", r=2).table.iloc[0]
        # Nest means 1.2 and 2.1: b = .405; within nests (.08 + .02) / 2 = .05.
        between, within = 1.5 * 0.405, 0.05 / 2
        assert row["estimate"] == pytest.approx(1.65)
        assert row["b"] == pytest.approx(0.405)
        assert row["t"] == pytest.approx(between - within + 0.5)
        expected = 1 / (between**2 / row["t"] ** 2 + within**2 / (2 * row["t"] ** 2))
        assert row["df"] == pytest.approx(expected)

    def test_a_variance_that_would_be_negative_is_adjusted(self, make_fit):
        fits = [make_fit([q], [0.1]) for q in (-2.0, 2.0, 2.1, -2.1)]
        row = pool(fits, "reiter2004", r=2).table.iloc[0]
        assert row["t"] == pytest.approx(0.1 + 1.5 * row["b"])
        assert row["t"] > 0
        assert np.isfinite([row["conf_low"], row["conf_high"]]).all()

    def test_a_variance_that_is_positive_by_chance_alone_gives_no_endless_interval(self, make_fit):
        # Nest means 2 and 2.1: within / r takes nearly all of the rest away.
        fits = [make_fit([q], [0.77]) for q in (1.123, 2.877, 1.223, 2.977)]
        row = pool(fits, "reiter2004", r=2).table.iloc[0]
        between, within = 1.5 * row["b"], 1.754**2 / 2
        assert 0 < between - within / 2 + 0.77 < 0.01
        assert row["t"] == pytest.approx(between + 0.77)
        assert row["df"] == 1
        assert row["conf_high"] - row["conf_low"] < 26 * row["std_error"]

    @pytest.mark.parametrize(("m", "r"), [(2, 2), (2, 5), (3, 2), (5, 2), (5, 5)])
    def test_no_term_has_fewer_degrees_of_freedom_than_imputations_less_one(self, make_fit, m, r):
        rng, terms = np.random.default_rng([m, r]), tuple(map(str, range(2000)))
        fits = [make_fit(q, np.ones(2000), terms=terms) for q in rng.standard_normal((m * r, 2000))]
        table = pool(fits, "reiter2004", r=r).table
        assert table["df"].min() >= (m - 1) * (1 - 1e-9)
        assert (table["t"] > 0).all()

    def test_equal_sets_add_no_variance(self, make_fit):
        row = pool([make_fit([2.0], [0.25])] * 4, "reiter2004", r=2).table.iloc[0]
        assert (row["t"], row["b"], row["r"], row["lambda"]) == (0.25, 0, 0, 0)
        assert np.isinf(row["df"])

    @pytest.mark.parametrize(("r", "tolerated"), [(2, (0.025, 0.06)), (5, (0.04, 0.06))])
    def test_size(self, make_fit, r, tolerated):
        # The mean of 300 normal values, a third of them missing; r = 2 is known to be conservative.
        rng, n, seen, m, replicates = np.random.default_rng(50), 300, 200, 5, 3000
        mean_seen = rng.normal(scale=seen**-0.5, size=replicates)
        drawn = mean_seen + rng.normal(scale=seen**-0.5, size=(m, replicates))
        filled = drawn + rng.normal(scale=(n - seen) ** -0.5, size=drawn.shape)
        completed = (seen * mean_seen + (n - seen) * filled) / n
        synthetic = completed[:, None] + rng.normal(scale=n**-0.5, size=(m, r, replicates))
        terms = tuple(str(i) for i in range(replicates))
        variances = np.full(replicates, 1 / n)
        fits = [make_fit(q, variances, terms=terms) for q in synthetic.reshape(-1, replicates)]
        rate = (pool(fits, "reiter2004", r=r).table["p_value"] < 0.05).mean()
        error = 3 * np.sqrt(0.05 * 0.95 / replicates)
        assert tolerated[0] - error < rate < tolerated[1] + error

    @pytest.mark.parametrize(("n_sets", "r"), [(4, 1), (4, 3), (2, 2), (4, True)])
    def test_sets_that_are_not_nested_are_refused(self, make_fit, n_sets, r):
        with pytest.raises(PoolingError, match=r"needs r syntheses .* set r"):
            pool([make_fit([1.0], [1.0])] * n_sets, "reiter2004", r=r)


class TestCorrelations:
    def test_estimate_and_interval_are_correlations(self, make_fit):
        z = [0.5, 0.6, 0.7]
        table = pool([make_fit([q], [0.01], scale="fisher_z") for q in z]).table
        on_z_scale = pool([make_fit([q], [0.01]) for q in z]).table
        for column in ("estimate", "conf_low", "conf_high"):
            assert table[column][0] == pytest.approx(np.tanh(on_z_scale[column][0]))
        for column in ("std_error", "statistic", "t", "p_value"):
            assert table[column][0] == on_z_scale[column][0]


class TestRefusals:
    def test_one_set(self, make_fit):
        with pytest.raises(PoolingError, match="at least 2 data sets, not 1: raise m"):
            pool([make_fit([1.0], [1.0])])

    def test_no_set(self):
        with pytest.raises(PoolingError, match="not 0"):
            pool([])

    def test_unknown_rule(self, make_fit):
        with pytest.raises(
            PoolingError, match="'rubin': use one of reiter2003, rubin1987, reiter2004"
        ):
            pool([make_fit([1.0], [1.0])] * 2, "rubin")

    @pytest.mark.parametrize("confidence", [0, 1, 95])
    def test_impossible_confidence(self, make_fit, confidence):
        with pytest.raises(PoolingError, match="confidence must lie between 0 and 1"):
            pool([make_fit([1.0], [1.0])] * 2, confidence=confidence)

    def test_different_terms(self, make_fit):
        fits = [make_fit([1.0], [1.0]), make_fit([1.0], [1.0], terms=("regcity",))]
        with pytest.raises(PoolingError, match="different terms"):
            pool(fits)

    def test_terms_in_different_order(self, make_fit):
        fits = [make_fit([1.0, 2.0], [1.0, 1.0], terms=order) for order in (("a", "b"), ("b", "a"))]
        with pytest.raises(PoolingError, match="their order"):
            pool(fits)

    @pytest.mark.parametrize(
        "change", [{"model": "mean"}, {"label": "y ~ z"}, {"scale": "fisher_z"}]
    )
    def test_different_models(self, make_fit, change):
        with pytest.raises(PoolingError, match="pool fits of one model"):
            pool([make_fit([1.0], [1.0]), make_fit([1.0], [1.0], **change)])

    def test_estimates_that_are_not_finite(self, make_fit):
        with pytest.raises(PoolingError, match="fit 2 of y ~ x has estimates or variances"):
            pool([make_fit([1.0], [1.0]), make_fit([np.nan], [1.0])])


class TestResult:
    def test_it_remembers_what_was_pooled(self, boys):
        fits = [fit_model(half, "ols", "hgt ~ age") for half in (boys[::2], boys[1::2])]
        pooled = pool(fits, confidence=0.9)
        assert (pooled.rule, pooled.m, pooled.model) == ("reiter2003", 2, "ols")
        assert (pooled.label, pooled.confidence) == ("hgt ~ age", 0.9)
        assert tuple(pooled.table.columns) == COLUMNS
        assert list(pooled.table["term"]) == ["(Intercept)", "age"]

    def test_markdown(self, make_fit):
        fits = [make_fit([q, 0.0], [0.04, 1.0], terms=("G1|G2", "age")) for q in (1.0, 1.2)]
        assert pool(fits).to_markdown(digits=2).splitlines() == [
            "| term | estimate | std. error | df | p | 95 % interval |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
            "| G1\\|G2 | 1.10 | 0.22 | 25.0 | <.001 | [0.64, 1.56] |",
            "| age | 0.00 | 1.00 | ∞ | 1.000 | [-1.96, 1.96] |",
        ]

    def test_latex(self, make_fit):
        terms = ("G1|G2", "a_b^2 & 50%", "\\x{y}")
        fits = [make_fit([q, 0.0, -2.0], [0.04, 1.0, 1.0], terms=terms) for q in (1.0, 1.2)]
        assert pool(fits).to_latex(digits=2).splitlines() == [
            r"\begin{tabular}{lrrrrr}",
            r"\toprule",
            r"term & estimate & std. error & df & p & 95 \% interval \\",
            r"\midrule",
            r"G1\textbar{}G2 & $1.10$ & $0.22$ & $25.0$ & $<.001$ & $[0.64, 1.56]$ \\",
            r"a\_b\textasciicircum{}2 \& 50\% & $0.00$ & $1.00$ & $\infty$ & $1.000$"
            r" & $[-1.96, 1.96]$ \\",
            r"\textbackslash{}x\{y\} & $-2.00$ & $1.00$ & $\infty$ & $.046$"
            r" & $[-3.96, -0.04]$ \\",
            r"\bottomrule",
            r"\end{tabular}",
        ]

    def test_variances_are_pooled_as_logarithms_and_told_as_variances(self, make_fit):
        fits = [make_fit([q], [0.01], scale="log") for q in (1.0, 1.2, 1.1)]
        table, on_log_scale = pool(fits).table, pool([*map(plain, fits)]).table
        for column in ("estimate", "conf_low", "conf_high"):
            assert table[column][0] == pytest.approx(np.exp(on_log_scale[column][0]))
        assert table["t"][0] == on_log_scale["t"][0]


def plain(fit):
    return replace(fit, scale="identity")


def test_a_single_fit_is_tabulated_with_its_own_degrees_of_freedom():
    data = pd.DataFrame({"x": [1.0, 2.0, 3.0, 5.0], "y": [1.0, 3.0, 4.0, 4.0]})
    fit = fit_model(data, "ols", "y ~ x")
    table = summarize(fit)
    half_width = stats.t.ppf(0.975, 2) * fit.std_errors
    np.testing.assert_allclose(table["conf_low"], fit.estimates - half_width)
    np.testing.assert_allclose(table["conf_high"], fit.estimates + half_width)
    assert (table["df"] == 2).all()
