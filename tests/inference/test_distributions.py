"""Variances and quantiles have standard errors that hold for distributions of every shape."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import betainc

from synth_tasks.errors import ModelError
from synth_tasks.inference import fit_model, pool, summarize

SHAPES = {
    "normal": (stats.norm(), 0.03),
    "uniform": (stats.uniform(), 0.03),
    "exponential": (stats.expon(), 0.045),
    "t with 7 df": (stats.t(7), 0.045),
}


def covers(model: str, shape: str, truth: np.ndarray, n: int, replicates: int, **options):
    """Return how often 95 % intervals from n rows cover the truth, term by term."""
    rng = np.random.default_rng([n, len(shape)])
    inside = np.zeros(len(truth))
    for x in SHAPES[shape][0].rvs(size=(replicates, n), random_state=rng):
        table = summarize(fit_model(pd.DataFrame({"x": x}), model, variables=["x"], **options))
        low, high = table["conf_low"].to_numpy(), table["conf_high"].to_numpy()
        inside += (low < truth) & (truth < high)
    return inside / replicates


class TestVariances:
    def test_estimates_are_variances(self, boys):
        fit = fit_model(boys, "variance", variables=["age", "hgt"])
        np.testing.assert_allclose(np.exp(fit.estimates), boys[["age", "hgt"]].var())
        assert (fit.terms, fit.scale) == (("age", "hgt"), "log")

    def test_standard_errors_of_normal_variables_are_the_usual_ones(self):
        x = np.random.default_rng(1).normal(size=(200_000, 1))
        fit = fit_model(pd.DataFrame(x, columns=["x"]), "variance", variables=["x"])
        assert fit.std_errors[0] == pytest.approx(np.sqrt(2 / 200_000), rel=0.01)

    def test_two_values_half_and_half_have_next_to_no_uncertainty(self):
        frame = pd.DataFrame({"x": [0.0, 1.0] * 50})
        error = fit_model(frame, "variance", variables=["x"]).std_errors[0]
        assert 0 < error < 0.02

    def test_two_variances_covary_as_simulated_ones(self):
        rng = np.random.default_rng(2)
        truth, n, replicates = [[1.0, 0.7], [0.7, 1.0]], 200, 4000
        draws = rng.multivariate_normal([0, 0], truth, size=(replicates, n))
        simulated = np.cov(np.log(draws.var(axis=1, ddof=1)), rowvar=False)
        large = pd.DataFrame(
            rng.multivariate_normal([0, 0], truth, size=50_000), columns=["x", "y"]
        )
        fit = fit_model(large, "variance", variables=["x", "y"])
        np.testing.assert_allclose(fit.covariance * 50_000, simulated * n, rtol=0.1)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_intervals_cover(self, shape):
        distribution, tolerance = SHAPES[shape]
        rate = covers("variance", shape, np.array([distribution.var()]), n=200, replicates=400)[0]
        assert rate == pytest.approx(0.95, abs=tolerance + 0.015)

    @pytest.mark.slow
    @pytest.mark.parametrize("shape", SHAPES)
    def test_coverage(self, shape):
        distribution, tolerance = SHAPES[shape]
        rates = {
            n: covers("variance", shape, np.array([distribution.var()]), n, 3000)[0]
            for n in (50, 200, 1000)
        }
        print(f"variance, {shape}: {rates}")
        assert rates[1000] == pytest.approx(0.95, abs=0.02)
        assert rates[200] == pytest.approx(0.95, abs=tolerance)

    def test_a_constant_and_a_category_are_refused(self, boys):
        for name in ("constant", "reg"):
            with pytest.raises(ModelError, match=f"column '{name}' is not numeric or is constant"):
                fit_model(boys.assign(constant=1.0), "variance", variables=[name])

    def test_synthetic_variances_are_pooled(self):
        rng = np.random.default_rng(5)
        fits = [
            fit_model(pd.DataFrame({"x": rng.normal(size=100)}), "variance", variables=["x"])
            for _ in range(5)
        ]
        row = pool(fits).table.iloc[0]
        assert 0 < row["conf_low"] < row["estimate"] < row["conf_high"]


class TestQuantiles:
    def test_estimates_are_those_of_r_and_numpy(self, boys):
        fit = fit_model(boys, "quantile", variables=["age", "hgt"])
        np.testing.assert_allclose(
            fit.estimates, boys[["age", "hgt"]].quantile([0.25, 0.5, 0.75]).to_numpy().T.ravel()
        )
        assert fit.terms[:2] == ("age[25%]", "age[50%]")
        assert fit.label == "age, hgt, probabilities 0.25, 0.5, 0.75"

    def test_the_standard_error_of_a_median_is_that_of_all_bootstrap_samples(self):
        """Of 11 rows there are 11^11 samples: their median is an order statistic of the ranks."""
        x = np.random.default_rng(1).exponential(size=11)
        fit = fit_model(pd.DataFrame({"x": x}), "quantile", variables=["x"], probabilities=[0.5])
        below = [stats.binom.sf(5, 11, i / 11) for i in range(12)]  # P(median is among the first i)
        p, ordered = np.diff(below), np.sort(x)
        expected = np.sqrt(p @ ordered**2 - (p @ ordered) ** 2)
        assert fit.std_errors[0] == pytest.approx(expected)

    def test_weights_are_those_of_harrell_and_davis(self, boys):
        from scipy.stats.mstats import hdquantiles

        p, n = np.array([0.1, 0.9]), len(boys)
        weights = np.diff([betainc((n + 1) * p, (n + 1) * (1 - p), i / n) for i in range(n + 1)],
                          axis=0)  # fmt: skip
        x = np.sort(boys["hgt"])
        np.testing.assert_allclose(weights.T @ x, hdquantiles(x, p), rtol=1e-10)
        fit = fit_model(boys, "quantile", variables=["hgt"], probabilities=p.tolist())
        expected = np.sqrt(weights.T @ x**2 - (weights.T @ x) ** 2)
        np.testing.assert_allclose(fit.std_errors, expected, rtol=1e-6)

    def test_quantiles_covary_as_simulated_ones(self):
        rng, n, replicates = np.random.default_rng(6), 400, 4000
        draws = rng.multivariate_normal([0, 0], [[1.0, 0.8], [0.8, 1.0]], size=(replicates, n))
        found = np.quantile(draws, [0.25, 0.5], axis=1).transpose(1, 2, 0).reshape(replicates, 4)
        fits = [
            fit_model(pd.DataFrame(d, columns=["x", "y"]), "quantile", variables=["x", "y"],
                      probabilities=[0.25, 0.5])
            for d in draws[:300]
        ]  # fmt: skip
        estimated = np.mean([fit.covariance for fit in fits], axis=0)
        # The estimator is known to be a little too large.
        assert (np.diag(estimated) > np.diag(np.cov(found, rowvar=False))).all()
        np.testing.assert_allclose(estimated, np.cov(found, rowvar=False), rtol=0.2)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_intervals_cover(self, shape):
        p = [0.1, 0.5, 0.9]
        rates = covers("quantile", shape, SHAPES[shape][0].ppf(p), 200, 400, probabilities=p)
        np.testing.assert_allclose(rates, 0.95, atol=0.045)

    @pytest.mark.slow
    @pytest.mark.parametrize(("shape", "n"), list(product(SHAPES, [100, 1000])))
    def test_coverage(self, shape, n):
        p = [0.1, 0.25, 0.5, 0.75, 0.9]
        rates = covers("quantile", shape, SHAPES[shape][0].ppf(p), n, 3000, probabilities=p)
        print(f"quantiles, {shape}, n={n}: {dict(zip(p, rates, strict=True))}")
        np.testing.assert_allclose(rates, 0.95, atol=0.03)

    def test_extreme_quantiles_of_few_rows_are_refused(self, boys):
        with pytest.raises(ModelError, match=r"the quantile 0.99 has fewer than 5 of 100 rows"):
            fit_model(boys.head(100), "quantile", variables=["age"], probabilities=[0.5, 0.99])
        assert fit_model(boys.head(100), "quantile", variables=["age"], probabilities=[0.95])

    def test_rounded_numbers_give_an_interval_all_the_same(self):
        frame = pd.DataFrame({"x": np.repeat([1.0, 2.0, 3.0], 50)})
        fit = fit_model(frame, "quantile", variables=["x"], probabilities=[0.5, 0.3])
        assert np.isfinite(fit.covariance).all()
        assert fit.std_errors[0] < 0.05


# --- properties -----------------------------------------------------------------------------------

tables = st.integers(0, 10_000).map(
    lambda seed: np.random.default_rng(seed).exponential(size=40).round(2)
)
units = st.floats(1e-3, 1e3)


@given(x=tables, scale=units, shift=st.floats(-50, 50))
@settings(max_examples=40, deadline=None)
def test_units_change_estimates_as_they_should(x, scale, shift):
    before, after = pd.DataFrame({"x": x}), pd.DataFrame({"x": scale * x + shift})
    variance = [fit_model(f, "variance", variables=["x"]) for f in (before, after)]
    assert variance[1].estimates - variance[0].estimates == pytest.approx(2 * np.log(scale))
    np.testing.assert_allclose(variance[1].covariance, variance[0].covariance, rtol=1e-5)
    quantile = [fit_model(f, "quantile", variables=["x"]) for f in (before, after)]
    np.testing.assert_allclose(
        quantile[1].estimates, scale * quantile[0].estimates + shift, rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(
        quantile[1].std_errors, scale * quantile[0].std_errors, rtol=1e-4, atol=1e-9
    )


@given(x=tables, seed=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_covariances_are_positive_and_do_not_depend_on_the_order_of_rows(x, seed):
    frame = pd.DataFrame({"x": x, "y": np.sqrt(x + 1)})
    mixed = frame.sample(frac=1, random_state=seed)
    for model in ("variance", "quantile"):
        fits = [fit_model(f, model, variables=["x", "y"]) for f in (frame, mixed)]
        np.testing.assert_allclose(fits[0].covariance, fits[1].covariance, rtol=1e-6, atol=1e-12)
        assert np.linalg.eigvalsh(fits[0].covariance).min() > -1e-9
