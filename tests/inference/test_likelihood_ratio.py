"""Likelihood-ratio tests are those of mice, agree with Wald tests, and hold their level."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth_tasks.errors import ModelError, PoolingError
from synth_tasks.inference import (
    ModelFit,
    fit_model,
    likelihood_ratio_test,
    pool,
    wald_test,
)
from synth_tasks.inference.likelihood import Likelihood

R = json.loads((Path(__file__).parent / "fixtures" / "r_likelihood_ratio.json").read_text())
SETS = [pd.DataFrame(columns) for columns in R["sets"].values()]


class TestAgreementWithR:
    @pytest.mark.parametrize(("case", "m"), [("centred", 6), ("two_centred", 2)])
    def test_d3_of_mice_for_linear_models(self, case, m):
        centred = [frame - frame.mean() for frame in SETS[:m]]
        larger, smaller = (
            [fit_model(frame, "ols", formula) for frame in centred]
            for formula in ("chl ~ age + bmi + hyp", "chl ~ age")
        )
        test = likelihood_ratio_test(larger, smaller, "rubin1987")
        for name, expected in R[case].items():
            assert getattr(test, name) == pytest.approx(expected, rel=1e-8), name

    def test_a_logistic_regression(self):
        sets = [frame.assign(hyp=frame["hyp"] == 2) for frame in SETS]
        larger, smaller = (
            [fit_model(frame, "logit", formula) for frame in sets]
            for formula in ("hyp ~ chl + bmi", "hyp ~ 1")
        )
        pairs = zip(larger, smaller, strict=True)
        own = np.mean([2 * (a.log_likelihood() - b.log_likelihood()) for a, b in pairs])
        assert own == pytest.approx(R["logit"]["own"], rel=1e-8)
        test = likelihood_ratio_test(larger, smaller, "rubin1987")
        assert test.statistic == pytest.approx(R["logit"]["statistic"], rel=1e-8)
        assert test.df2 == pytest.approx(R["logit"]["df2"], rel=1e-8)
        assert test.p_value == pytest.approx(R["logit"]["p_value"], rel=1e-8)


def known_variance(y: np.ndarray, x: np.ndarray, estimates: np.ndarray) -> float:
    """Return the log likelihood of a linear model whose residual variance is known to be 1."""
    return float(-((y - x @ estimates) ** 2).sum() / 2)


def normal_fits(n_sets: int, kept: list[int], seed: int = 1) -> list[ModelFit]:
    """Fit one design to several responses."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 4))
    responses = (x @ [1.0, 0.2, -0.1, 0.3]) + rng.normal(scale=1.5, size=(n_sets, 40))
    x = x[:, kept]
    inverse = np.linalg.inv(x.T @ x)
    return [
        ModelFit("ols", f"y ~ {kept}", tuple(f"x{i}" for i in kept), inverse @ x.T @ y, inverse,
                 np.inf, 40, likelihood=Likelihood(known_variance, y, x))
        for y in responses
    ]  # fmt: skip


class TestTheNormalCase:
    """Where the residual variance is known, both tests are the same to the last digit."""

    @pytest.mark.parametrize(
        ("rule", "n_sets", "settings"),
        [
            ("rubin1987", 5, {}),
            ("rubin1987", 2, {}),
            ("reiter2003", 5, {}),
            ("reiter2003", 4, {"n": 90}),
            ("rrr2003", 9, {}),
            ("rrr2003", 9, {"n": 90}),
            ("reiter2004", 12, {"r": 3}),
            ("reiter2004", 6, {"r": 2, "n": 90}),
            ("raab2016", 1, {}),
            ("raab2016_proper", 4, {"n": 90}),
        ],
    )
    def test_it_is_the_wald_test(self, rule, n_sets, settings):
        larger, smaller = normal_fits(n_sets, [0, 1, 2, 3]), normal_fits(n_sets, [0])
        wald = wald_test(pool(larger, rule, **settings), ["x1", "x2", "x3"])
        test = likelihood_ratio_test(larger, smaller, rule, **settings)
        assert test.statistic == pytest.approx(wald.statistic)
        assert (test.df1, test.df2) == (3, pytest.approx(wald.df2))
        assert test.p_value == pytest.approx(wald.p_value)

    def test_a_fully_synthetic_family_without_enough_variance_between_sets_is_refused(self):
        larger, smaller = normal_fits(1, [0, 1]) * 5, normal_fits(1, [0]) * 5
        with pytest.raises(PoolingError, match=r"not defined here.* more sets"):
            likelihood_ratio_test(larger, smaller, "rrr2003")


def sets_of_people(m: int = 3, n: int = 300) -> list[pd.DataFrame]:
    rng = np.random.default_rng(7)
    frames = []
    for _ in range(m):
        x, z = rng.normal(size=(2, n))
        level = pd.cut(x + rng.logistic(size=n), [-np.inf, -1, 1, np.inf], labels=list("abc"))
        columns = {"x": x, "z": z, "level": level, "y": x + rng.normal(size=n)}
        columns["count"] = rng.poisson(np.exp(x / 2))
        columns["amount"] = rng.gamma(2, np.exp(x))
        columns["yes"] = x + rng.logistic(size=n) > 0
        frames.append(pd.DataFrame(columns))
    return frames


REGRESSIONS = {
    "ols": "y", "logit": "yes", "poisson": "count", "gamma": "amount",
    "ordered_logit": "level", "multinomial_logit": "level",
}  # fmt: skip


@pytest.mark.parametrize(("model", "response"), REGRESSIONS.items())
class TestEveryRegression:
    def test_likelihood_is_largest_at_the_estimates(self, model, response):
        fit = fit_model(sets_of_people(1)[0], model, f"{response} ~ x + z")
        at_most = fit.log_likelihood()
        for i in range(len(fit.terms)):
            for step in (-0.01, 0.01):
                moved = fit.estimates + step * (np.arange(len(fit.terms)) == i)
                assert fit.log_likelihood(moved) < at_most

    def test_recoded_predictors_give_the_same_test(self, model, response):
        sets = [s.assign(sum=s["x"] + s["z"], half=s["z"] / 2) for s in sets_of_people()]
        smaller = [fit_model(s, model, f"{response} ~ 1") for s in sets]
        plain, recoded = (
            likelihood_ratio_test([fit_model(s, model, f"{response} ~ {p}") for s in sets], smaller)
            for p in ("x + z", "sum + half")
        )
        assert plain.statistic == pytest.approx(recoded.statistic, rel=1e-4)
        assert plain.p_value < 0.01
        assert plain.df1 == (4 if model == "multinomial_logit" else 2)

    def test_data_are_not_printed_and_fits_can_be_sent_to_other_processes(self, model, response):
        frame = sets_of_people(1)[0]
        fit = fit_model(frame, model, f"{response} ~ x")
        assert "likelihood" not in repr(fit)
        assert pickle.loads(pickle.dumps(fit)).log_likelihood() == fit.log_likelihood()  # noqa: S301


def test_a_gamma_likelihood_is_that_of_the_most_likely_shape():
    from scipy import optimize, stats

    frame = sets_of_people(1)[0]
    fit = fit_model(frame, "gamma", "amount ~ x")
    means = np.exp(fit.estimates[0] + fit.estimates[1] * frame["x"])

    def minus_value(log_shape: float) -> float:
        shape = np.exp(log_shape)
        return -stats.gamma.logpdf(frame["amount"], shape, scale=means / shape).sum()

    best = optimize.minimize_scalar(minus_value, bounds=(-5, 5), method="bounded")
    assert fit.log_likelihood() == pytest.approx(-best.fun, abs=1e-6)


class TestRefusals:
    def fits(self, formula: str, model: str = "ols") -> list[ModelFit]:
        return [fit_model(s, model, formula) for s in sets_of_people()]

    @pytest.mark.parametrize(
        ("larger", "smaller"),
        [
            ("y ~ x", "y ~ z"),
            ("y ~ x + z", "amount ~ x"),
            ("y ~ x", "y ~ x"),
            ("y ~ 0 + x + z", "y ~ 1"),
        ],
    )
    def test_models_that_are_not_nested(self, larger, smaller):
        with pytest.raises(PoolingError, match="two formulas of one response"):
            likelihood_ratio_test(self.fits(larger), self.fits(smaller))

    def test_sets_in_another_order(self):
        with pytest.raises(PoolingError, match="same sets in the same order"):
            likelihood_ratio_test(self.fits("y ~ x"), self.fits("y ~ 1")[::-1])

    def test_models_of_different_families(self):
        with pytest.raises(PoolingError, match="same sets"):
            likelihood_ratio_test(self.fits("count ~ x"), self.fits("count ~ 1", "poisson"))

    def test_another_number_of_sets(self):
        with pytest.raises(PoolingError, match="3 fits of the larger model and 2 of the smaller"):
            likelihood_ratio_test(self.fits("y ~ x"), self.fits("y ~ 1")[:2])

    def test_populations(self):
        with pytest.raises(PoolingError, match="a population leaves nothing open; use wald_test"):
            likelihood_ratio_test(self.fits("y ~ x"), self.fits("y ~ 1"), "population_synthetic")

    def test_models_without_a_likelihood(self):
        means = [fit_model(s, "mean", variables=["x", "z"]) for s in sets_of_people()]
        fewer = [fit_model(s, "mean", variables=["x"]) for s in sets_of_people()]
        with pytest.raises(PoolingError, match="'mean' has no likelihood: use wald_test"):
            likelihood_ratio_test(means, fewer)
        with pytest.raises(ModelError, match="'mean' has no likelihood"):
            means[0].log_likelihood()

    def test_a_perfect_fit(self):
        sets = [s.assign(w=2 * s["x"]) for s in sets_of_people()]
        larger, smaller = ([fit_model(s, "ols", f) for s in sets] for f in ("w ~ x", "w ~ 1"))
        for fit in larger:
            fit.estimates[:] = [0.0, 2.0]
        with pytest.raises(PoolingError, match="fits a set perfectly"):
            likelihood_ratio_test(larger, smaller)

    @pytest.mark.filterwarnings("ignore:formula")
    def test_fits_that_did_not_converge(self):
        sets = [s.assign(side=s["yes"].astype(float)) for s in sets_of_people()]
        larger = [fit_model(s, "logit", "yes ~ side") for s in sets]
        smaller = [fit_model(s, "logit", "yes ~ 1") for s in sets]
        with pytest.raises(PoolingError, match="fit 1 did not converge: formula 'yes ~ side'"):
            likelihood_ratio_test(larger, smaller)

    def test_no_sets(self):
        with pytest.raises(PoolingError, match="at least 2 data sets, not 0"):
            likelihood_ratio_test([], [])


# --- level ----------------------------------------------------------------------------------------


def draw_fits(rule: str, m: int, r: int, rng: np.random.Generator) -> list[list[ModelFit]]:
    """Draw sets of a linear model with two irrelevant predictors, and fit it with and without them."""
    n, seen = 100, 70
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    y = rng.normal(size=n)

    def estimate(x: np.ndarray, y: np.ndarray, proper: bool) -> tuple[np.ndarray, float]:
        beta, rss, *_ = np.linalg.lstsq(x, y, rcond=None)
        variance = float(rss[0]) / (len(y) - 3)
        if proper:
            variance *= (len(y) - 3) / rng.chisquare(len(y) - 3)
            half = np.linalg.cholesky(np.linalg.inv(x.T @ x))
            beta = beta + np.sqrt(variance) * half @ rng.normal(size=3)
        return beta, variance

    def draw(x: np.ndarray, beta: np.ndarray, variance: float) -> np.ndarray:
        return x @ beta + np.sqrt(variance) * rng.normal(size=len(x))

    responses = []
    for _ in range(m if rule != "reiter2003" else 0):
        completed = y.copy()
        completed[seen:] = draw(x[seen:], *estimate(x[:seen], y[:seen], proper=True))
        responses.append(completed)
    if rule == "reiter2004":
        responses = [draw(x, *estimate(x, c, proper=False)) for c in responses for _ in range(r)]
    if rule == "reiter2003":
        responses = [draw(x, *estimate(x, y, proper=False)) for _ in range(m)]
    frames = [pd.DataFrame({"y": y, "a": x[:, 1], "b": x[:, 2]}) for y in responses]
    return [[_quick_fit(f, columns) for f in frames] for columns in (["a", "b"], [])]


def _quick_fit(frame: pd.DataFrame, columns: list[str]) -> ModelFit:
    """Fit as `fit_model` does, without reading a formula ten thousand times."""
    from synth_tasks.inference.linear import _normal_log_likelihood

    x = np.column_stack([np.ones(len(frame)), frame[columns]])
    y = frame["y"].to_numpy()
    beta, rss, *_ = np.linalg.lstsq(x, y, rcond=None)
    covariance = np.linalg.inv(x.T @ x) * float(rss[0]) / (len(y) - len(beta))
    return ModelFit("ols", f"y ~ {columns}", ("(Intercept)", *columns), beta, covariance,
                    float(len(y) - len(beta)), len(y),
                    likelihood=Likelihood(_normal_log_likelihood, y, x))  # fmt: skip


def levels(rule: str, m: int, r: int, replicates: int) -> tuple[float, float]:
    """Return the share of rejections of the likelihood-ratio test and of the Wald test."""
    rng = np.random.default_rng([m, r, replicates])
    found = []
    for _ in range(replicates):
        larger, smaller = draw_fits(rule, m, r, rng)
        ratio = likelihood_ratio_test(larger, smaller, rule, r=r)
        wald = wald_test(pool(larger, rule, r=r), ["a", "b"])
        found.append((ratio.p_value < 0.05, wald.p_value < 0.05))
    return tuple(np.mean(found, axis=0))


LEVELS = [("rubin1987", 5, 1), ("reiter2003", 5, 1), ("reiter2003", 2, 1), ("reiter2004", 4, 3)]


@pytest.mark.parametrize(("rule", "m", "r"), LEVELS)
def test_the_level_is_near_five_per_cent(rule, m, r):
    replicates = 600 // r
    ratio, wald = levels(rule, m, r, replicates)
    assert ratio == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / replicates))
    assert ratio == pytest.approx(wald, abs=0.025)


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "m", "r"), LEVELS)
def test_the_level_is_five_per_cent(rule, m, r):
    ratio, wald = levels(rule, m, r, 6000)
    print(f"{rule} m={m} r={r}: likelihood ratio {ratio:.4f}, Wald {wald:.4f}")
    assert ratio == pytest.approx(0.05, abs=0.012)
    assert ratio == pytest.approx(wald, abs=0.01)
