"""Multinomial logits and tables of categories are those of R."""

from __future__ import annotations

import json
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synth_tasks.errors import ConvergenceWarning, ModelError, PoolingError
from synth_tasks.inference import (
    chi_squared_test,
    fit_model,
    likelihood_ratio_test,
    pool,
    pool_statistics,
)
from synth_tasks.inference.multinomial import _Likelihood
from synth_tasks.inference.tables import _cramers_v, chi_squared

R = json.loads((Path(__file__).parent / "fixtures" / "r_categories.json").read_text())


class TestMultinomialLogit:
    @pytest.mark.parametrize("expected", R["multinomial"], ids=lambda e: e["formula"])
    def test_estimates_are_those_of_multinom(self, boys, expected):
        fit = fit_model(boys, "multinomial_logit", expected["formula"])
        assert [t.replace(" ", "") for t in fit.terms] == [
            t.replace(" ", "") for t in expected["terms"]
        ]
        np.testing.assert_allclose(fit.estimates, expected["estimates"], rtol=2e-4, atol=1e-5)
        np.testing.assert_allclose(fit.std_errors, expected["std_errors"], rtol=1e-4)
        assert fit.log_likelihood() == pytest.approx(expected["log_likelihood"], rel=1e-9)
        assert fit.converged
        assert 0 < fit.iterations < 20

    def test_two_levels_are_a_logit(self, boys):
        data = boys.assign(city=pd.Categorical(np.where(boys["reg"] == "city", "yes", "no")))
        ours, logit = (
            fit_model(data, m, "city ~ age + hgt") for m in ("multinomial_logit", "logit")
        )
        np.testing.assert_allclose(ours.estimates, logit.estimates, rtol=1e-6)
        np.testing.assert_allclose(ours.covariance, logit.covariance, rtol=1e-5)
        assert ours.terms == tuple(f"yes:{term}" for term in logit.terms)

    def test_units_do_not_matter(self, boys):
        data = boys.assign(far=1e6 + 1e3 * boys["age"])
        here, there = (fit_model(data, "multinomial_logit", f"reg ~ {x}") for x in ("age", "far"))
        np.testing.assert_allclose(there.estimates[1::2] * 1e3, here.estimates[1::2], rtol=1e-4)

    def test_derivatives_are_those_of_the_function(self):
        rng = np.random.default_rng(4)
        x, y = rng.normal(size=(30, 2)), rng.integers(3, size=30)
        likelihood, theta, step = _Likelihood(y, x, 3), rng.normal(size=4), 1e-5
        gradient, information = likelihood.derivatives(theta)
        for i, direction in enumerate(np.eye(4) * step):
            up, down = likelihood.value(theta + direction), likelihood.value(theta - direction)
            assert gradient[i] == pytest.approx((up - down) / (2 * step), rel=1e-6)
            slopes = [likelihood.derivatives(theta + s * direction)[0] for s in (1, -1)]
            np.testing.assert_allclose(
                -information[i], (slopes[0] - slopes[1]) / (2 * step), rtol=1e-5, atol=1e-6
            )

    def test_separated_levels_do_not_converge(self, boys):
        bins = pd.cut(boys["age"], [0, 5, 10, 30], labels=["young", "middle", "old"])
        with pytest.warns(ConvergenceWarning, match="the multinomial logit has no finite"):
            fit = fit_model(boys.assign(stage=bins), "multinomial_logit", "stage ~ age")
        assert not fit.converged

    @pytest.mark.parametrize(
        ("formula", "message"),
        [
            ("hgt ~ age", r"'hgt' is not categorical: declare it .*kind: nominal"),
            ("log(hgt) ~ age", "needs a column as response"),
            ("same ~ age", "'same' has a single level"),
        ],
    )
    def test_responses_that_are_no_categories_are_refused(self, boys, formula, message):
        data = boys.assign(same=pd.Categorical(["a"] * len(boys)))
        with pytest.raises(ModelError, match=message):
            fit_model(data, "multinomial_logit", formula)


class TestTables:
    def test_shares_of_cells(self, boys):
        fit = fit_model(boys, "table", variables=["gen", "reg"])
        assert fit.terms[:2] == ("gen[G1]:reg[north]", "gen[G1]:reg[east]")
        shares = pd.crosstab(boys["gen"], boys["reg"], normalize=True).to_numpy()
        np.testing.assert_allclose(fit.estimates, shares.ravel())
        p = shares.ravel()
        np.testing.assert_allclose(fit.covariance, (np.diag(p) - np.outer(p, p)) / 747)

    def test_one_variable_has_the_proportions_of_the_model_mean(self, boys):
        table, mean = (fit_model(boys, m, variables=["reg"]) for m in ("table", "mean"))
        assert table.terms == mean.terms
        np.testing.assert_allclose(table.estimates, mean.estimates)
        np.testing.assert_allclose(table.covariance, mean.covariance, atol=1e-15)

    def test_cells_without_rows_are_kept(self):
        frame = pd.DataFrame({"a": pd.Categorical(["x", "y"], ["x", "y", "z"]), "b": ["u", "v"]})
        fit = fit_model(frame, "table", variables=["a", "b"])
        assert fit.estimates.tolist() == [0.5, 0, 0, 0.5, 0, 0]

    def test_numbers_and_very_large_tables_are_refused(self, boys):
        with pytest.raises(ModelError, match="'age' is not categorical: declare it"):
            fit_model(boys, "table", variables=["age", "reg"])
        wide = boys.assign(a=(boys.index % 50).astype(str), b=(boys.index % 41).astype(str))
        with pytest.raises(ModelError, match="has 2050 cells, at most 1000"):
            fit_model(wide, "table", variables=["a", "b"])


class TestCramersV:
    def test_it_is_that_of_r(self, boys):
        fit = fit_model(boys, "cramers_v", variables=["gen", "reg", "phb"])
        assert fit.terms == ("gen:reg", "gen:phb", "reg:phb")
        assert np.tanh(fit.estimates[0]) == pytest.approx(R["cramers_v"])
        assert fit.scale == "fisher_z"

    def test_of_two_binary_variables_it_is_the_correlation(self, boys):
        frame = pd.DataFrame({"a": boys["age"] > 10, "b": boys["hgt"] > 160})
        fit = fit_model(frame.astype(str), "cramers_v", variables=["a", "b"])
        assert np.tanh(fit.estimates[0]) == pytest.approx(frame["a"].corr(frame["b"]))

    def test_the_influence_of_a_row_is_the_derivative_by_its_share(self):
        counts = np.array([[20.0, 5.0, 0.0], [4.0, 0.0, 9.0]])
        v, influence = _cramers_v(counts, "a:b")
        p, step = counts / counts.sum(), 1e-6
        for cell in product(range(2), range(3)):
            more = np.zeros_like(p)
            more[cell] = step
            up = _cramers_v((1 - step) * p + more, "a:b")[0]
            down = _cramers_v((1 + step) * p - more, "a:b")[0] if p[cell] > 0 else None
            slope = (up - v) / step if down is None else (up - down) / (2 * step)
            mean = (p * influence).sum()
            assert influence[cell] - mean == pytest.approx(slope, rel=1e-4, abs=1e-5)

    def test_covariances_are_those_of_the_bootstrap(self, boys):
        rng, variables = np.random.default_rng(8), ["gen", "reg", "phb"]
        frame = pd.concat([boys] * 5, ignore_index=True)
        again = [
            fit_model(frame.iloc[rng.integers(len(frame), size=len(frame))], "cramers_v",
                      variables=variables).estimates
            for _ in range(400)
        ]  # fmt: skip
        fit = fit_model(frame, "cramers_v", variables=variables)
        bootstrapped = np.cov(again, rowvar=False)
        scale = np.sqrt(np.diag(bootstrapped))
        np.testing.assert_allclose(
            fit.covariance / np.outer(scale, scale), bootstrapped / np.outer(scale, scale), atol=0.2
        )

    @pytest.mark.parametrize(
        ("a", "b", "message"),
        [
            ("xyxy", "uvuv", "'a:b' is perfect"),
            ("xyxy", "uuvv", "'a:b' is exactly absent"),
            ("xyxy", "uuuu", "'a:b' has a single level"),
        ],
    )
    def test_associations_without_a_standard_error_are_refused(self, a, b, message):
        with pytest.raises(ModelError, match=message):
            fit_model(pd.DataFrame({"a": list(a), "b": list(b)}), "cramers_v", variables=["a", "b"])

    def test_one_variable_has_no_association(self, boys):
        with pytest.raises(ModelError, match="at least two variables"):
            fit_model(boys, "cramers_v", variables=["reg"])

    def test_intervals_cover(self):
        """V of a table with a middling association, from 400 rows."""
        rng = np.random.default_rng(3)
        shares = np.array([[0.2, 0.1, 0.05], [0.05, 0.15, 0.1], [0.05, 0.05, 0.25]])
        expected = np.outer(shares.sum(axis=1), shares.sum(axis=0))
        truth = np.arctanh(np.sqrt((((shares - expected) ** 2) / expected).sum() / 2))
        inside, replicates = 0, 600
        for _ in range(replicates):
            cells = rng.choice(9, size=400, p=shares.ravel())
            frame = pd.DataFrame({"a": cells // 3, "b": cells % 3}).astype(str)
            fit = fit_model(frame, "cramers_v", variables=["a", "b"])
            inside += abs(fit.estimates[0] - truth) < 1.96 * fit.std_errors[0]
        assert inside / replicates == pytest.approx(0.95, abs=0.03)


class TestIndependence:
    def test_the_statistic_is_that_of_r(self, boys):
        statistic, counts = chi_squared(boys, ["gen", "reg"])
        assert statistic == pytest.approx(R["chi_squared"])
        assert counts.sum() == 748

    def test_statistics_are_pooled(self, boys):
        sets = [boys.sample(frac=0.5, random_state=i) for i in range(4)]
        expected = pool_statistics([chi_squared(s, ["gen", "reg"])[0] for s in sets], 16)
        assert chi_squared_test(sets, ["gen", "reg"]) == expected

    def test_equal_sets_give_the_test_of_one(self, boys):
        test = chi_squared_test([boys] * 3, ["gen", "reg"])
        assert test.p_value == pytest.approx(stats.chi2.sf(R["chi_squared"], 16))

    def test_levels_that_no_set_has_do_not_count(self, boys):
        sets = [boys[boys["reg"] != "city"]] * 2
        assert chi_squared_test(sets, ["gen", "reg"]).df1 == 12

    def test_it_is_for_imputed_sets_only(self, boys):
        with pytest.raises(PoolingError, match=r"only .rubin1987.; fit multinomial_logit with"):
            chi_squared_test([boys] * 3, ["gen", "reg"], "reiter2003")

    def test_what_cannot_be_tested_is_refused(self, boys):
        with pytest.raises(PoolingError, match="of two variables"):
            chi_squared_test([boys] * 3, ["gen"])
        with pytest.raises(ModelError, match="unknown column 'genn'"):
            chi_squared_test([boys] * 3, ["genn", "reg"])
        other = boys.assign(reg=boys["reg"].cat.add_categories("sea"))
        with pytest.raises(PoolingError, match="different categories of gen or reg"):
            chi_squared_test([boys, other], ["gen", "reg"])
        with pytest.raises(PoolingError, match="has a single level"):
            chi_squared_test([boys.assign(a="x"), boys.assign(a="x")], ["a", "reg"])
        with pytest.raises(PoolingError, match="two or more finite statistics"):
            chi_squared_test([boys], ["gen", "reg"])

    def test_in_synthetic_sets_a_multinomial_logit_tests_it(self, boys):
        rng = np.random.default_rng(1)
        p = pd.crosstab(boys["gen"], boys["reg"], normalize=True)
        levels = [(g, r) for g in p.index for r in p.columns]
        sets = []
        for _ in range(5):
            drawn = rng.choice(len(levels), size=748, p=p.to_numpy().ravel())
            columns = zip(*(levels[i] for i in drawn), strict=True)
            sets.append(pd.DataFrame(dict(zip(("gen", "reg"), columns, strict=True))))
        larger, smaller = (
            [fit_model(s, "multinomial_logit", f) for s in sets] for f in ("reg ~ gen", "reg ~ 1")
        )
        test = likelihood_ratio_test(larger, smaller)
        assert test.df1 == 16
        on_real = stats.chi2.sf(R["chi_squared"], 16)
        assert abs(np.log10(test.p_value) - np.log10(on_real)) < 1.0
        assert pool(larger).m == 5


def test_the_terms_of_an_ordered_logit_are_between_neighbours(boys):
    terms = fit_model(boys, "ordered_logit", "gen ~ age").terms
    assert terms == ("age", *(f"{a}|{b}" for a, b in pairwise(["G1", "G2", "G3", "G4", "G5"])))
