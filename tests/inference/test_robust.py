"""Robust covariances are those of R and statsmodels and hold where variances differ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth_tasks.errors import ModelError, PoolingError
from synth_tasks.inference import fit_model, pool

R = json.loads((Path(__file__).parent / "fixtures" / "r_robust.json").read_text())
KINDS = ["HC0", "HC1", "HC2", "HC3"]


@pytest.mark.parametrize("expected", R, ids=lambda expected: expected["model"])
@pytest.mark.parametrize("kind", KINDS)
def test_standard_errors_are_those_of_the_package_sandwich(boys, expected, kind):
    data = boys.assign(city=pd.Categorical(np.where(boys["reg"] == "city", "yes", "no")))
    fit = fit_model(data, expected["model"], expected["formula"], covariance=kind)
    np.testing.assert_allclose(fit.std_errors, expected["std_errors"][kind], rtol=1e-5)
    assert fit.label == f"{expected['formula']}, {kind}"


@pytest.mark.parametrize("expected", [r for r in R if r["model"] != "gamma"], ids=str)
def test_log_likelihoods_are_those_of_r(boys, expected):
    data = boys.assign(city=pd.Categorical(np.where(boys["reg"] == "city", "yes", "no")))
    fit = fit_model(data, expected["model"], expected["formula"])
    assert fit.log_likelihood() == pytest.approx(expected["log_likelihood"], rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_covariances_are_those_of_statsmodels(boys, kind):
    from statsmodels.regression.linear_model import OLS

    fit = fit_model(boys, "ols", "hgt ~ age + hc", covariance=kind)
    x = np.column_stack([np.ones(len(boys)), boys["age"], boys["hc"]])
    expected = OLS(boys["hgt"].to_numpy(), x).fit(cov_type=kind)
    np.testing.assert_allclose(fit.covariance, expected.cov_params(), rtol=1e-8)
    np.testing.assert_allclose(fit.estimates, expected.params)


def test_the_default_is_that_of_the_model(boys):
    plain, named = (fit_model(boys, "ols", "hgt ~ age", **o) for o in ({}, {"covariance": "model"}))
    np.testing.assert_array_equal(plain.covariance, named.covariance)
    assert plain.label == named.label == "hgt ~ age"


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_decides_a_term_alone_has_no_leave_one_out_residual(kind):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"y": rng.normal(size=20), "one": np.eye(20)[0]})
    if kind in ("HC2", "HC3"):
        with pytest.raises(
            ModelError, match=r"1 row\(s\) alone decide a term .* or use covariance"
        ):
            fit_model(frame, "ols", "y ~ one", covariance=kind)
    else:
        assert np.isfinite(fit_model(frame, "ols", "y ~ one", covariance=kind).covariance).all()


def test_fits_with_different_covariances_are_not_pooled(boys):
    fits = [fit_model(boys, "ols", "hgt ~ age", covariance=kind) for kind in ("HC0", "HC3")]
    with pytest.raises(PoolingError, match="pool fits of one model"):
        pool(fits)


def coverage(kind: str, replicates: int) -> float:
    """Return how often the interval of a slope covers it where residuals grow with the predictor."""
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(replicates):
        x = rng.normal(size=60)
        frame = pd.DataFrame({"x": x, "y": x + np.abs(x) * rng.normal(size=60)})
        fit = fit_model(frame, "ols", "y ~ x", covariance=kind)
        inside += abs(fit.estimates[1] - 1) < 2.0 * fit.std_errors[1]
    return inside / replicates


def test_only_robust_intervals_cover_where_variances_differ():
    assert coverage("model", 300) < 0.85
    assert coverage("HC3", 300) > 0.91
