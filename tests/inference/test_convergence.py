"""Fits that did not converge are told of, and pooled only if that is asked for."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from synth_tasks.errors import ConvergenceWarning, ModelError, PoolingError
from synth_tasks.inference import fit_model, pool, summarize


def failed(make_fit, estimate: float = 9.0, **changes):
    return make_fit([estimate], [1.0], converged=False, message="y ~ x: levels are separated",
                    **changes)  # fmt: skip


@pytest.fixture
def fits(make_fit):
    return [make_fit([1.0], [1.0]), failed(make_fit), make_fit([2.0], [1.0]), failed(make_fit)]


def test_they_are_refused_by_number_and_reason(fits):
    with pytest.raises(PoolingError, match=r"2 of 4 fits did not converge \(2, 4\): y ~ x: levels"):
        pool(fits)


def test_the_others_are_pooled_if_that_is_asked_for(fits):
    with pytest.warns(ConvergenceWarning, match=r"\(2, 4\): .*; they are left out"):
        pooled = pool(fits, unconverged="leave_out")
    assert (pooled.m, pooled.table["estimate"][0]) == (2, 1.5)
    assert pooled.unconverged == dict.fromkeys((2, 4), "y ~ x: levels are separated")


def test_all_are_pooled_if_that_is_asked_for(fits):
    with pytest.warns(ConvergenceWarning, match="they are pooled all the same"):
        pooled = pool(fits, unconverged="keep")
    assert (pooled.m, pooled.table["estimate"][0]) == (4, 5.25)
    assert list(pooled.unconverged) == [2, 4]


def test_what_is_no_number_is_not_pooled_in_any_case(make_fit):
    fits = [make_fit([1.0], [1.0]), failed(make_fit, np.nan)]
    with (
        pytest.warns(ConvergenceWarning),
        pytest.raises(PoolingError, match="fit 2 of y ~ x has estimates or variances that are not"),
    ):
        pool(fits, unconverged="keep")


def test_too_few_fits_may_be_left(make_fit):
    fits = [make_fit([1.0], [1.0]), failed(make_fit)]
    with (
        pytest.warns(ConvergenceWarning),
        pytest.raises(PoolingError, match="at least 2 data sets, not 1"),
    ):
        pool(fits, unconverged="leave_out")


def test_nested_sets_lose_none(fits):
    with pytest.raises(PoolingError, match="nested sets are pooled by imputation"):
        pool(fits, "reiter2004", r=2, unconverged="leave_out")


def test_an_unknown_way_is_refused(fits):
    with pytest.raises(PoolingError, match="one of refuse, leave_out, keep"):
        pool(fits, unconverged="drop")


def test_nothing_is_said_where_all_converged(make_fit):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pool([make_fit([q], [1.0]) for q in (1.0, 2.0)]).unconverged == {}


def test_a_single_fit_is_not_tabulated(make_fit):
    with pytest.raises(ModelError, match="levels are separated"):
        summarize(failed(make_fit))


def separated(model: str) -> tuple[pd.DataFrame, str]:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=60)})
    bins = pd.cut(frame["x"], [-9, -0.5, 0.5, 9], labels=list("abc"))
    frame["level"] = bins
    frame["yes"] = frame["x"] > 0
    return frame, "yes ~ x" if model == "logit" else "level ~ x"


@pytest.mark.parametrize("model", ["logit", "ordered_logit", "multinomial_logit"])
def test_separation_is_told_by_the_fit_with_the_iterations_made(model):
    frame, formula = separated(model)
    with pytest.warns(ConvergenceWarning, match=f"formula '{formula}'.*leave a predictor out"):
        fit = fit_model(frame, model, formula)
    assert not fit.converged
    assert fit.iterations > 0
    assert fit.message.startswith(f"formula '{formula}'")


@pytest.mark.parametrize("model", ["poisson", "gamma"])
def test_means_beyond_all_numbers_are_told_by_the_fit(model):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=40), "y": 10.0 ** rng.uniform(-250, 250, size=40)})
    with pytest.warns(ConvergenceWarning, match=f"the model {model} does not converge"):
        fit = fit_model(frame, model, "y ~ x")
    assert not fit.converged


@pytest.mark.parametrize("model", ["logit", "poisson", "gamma"])
def test_a_fit_that_converged_says_after_how_many_iterations(model):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=80)})
    frame["y"] = rng.integers(2, size=80) if model == "logit" else rng.integers(1, 9, size=80)
    fit = fit_model(frame, model, "y ~ x")
    assert (fit.converged, fit.message) == (True, "")
    assert 0 < fit.iterations < 20
