import numpy as np
import pytest
from scipy import stats

from synth_tasks import fit_model, pool
from synth_tasks.errors import PoolingError
from synth_tasks.inference import summarize
from synth_tasks.utility import Estimates
from synth_tasks.utility.estimates import require_same_terms

FORMULA = "hgt ~ age + reg"


@pytest.fixture(scope="module")
def fits(boys):
    whole = boys.dropna(subset=["hgt", "reg"])
    return [fit_model(whole.sample(500, random_state=i), "ols", FORMULA) for i in range(3)]


def test_of_a_fit_are_what_its_summary_says(fits):
    estimates, table = Estimates.from_fit(fits[0]), summarize(fits[0])
    half = estimates.half_widths()
    np.testing.assert_allclose(estimates.estimates - half, table["conf_low"])
    np.testing.assert_allclose(estimates.estimates + half, table["conf_high"])
    np.testing.assert_array_equal(estimates.significant(), table["p_value"] < 0.05)


def test_of_pooled_sets_are_what_their_table_says(fits):
    pooled = pool(fits)
    estimates = Estimates.from_pooled(pooled)
    half = estimates.half_widths()
    np.testing.assert_allclose(estimates.estimates + half, pooled.table["conf_high"])
    np.testing.assert_allclose(np.diag(estimates.between), pooled.table["b"])


def test_pooled_correlations_stay_on_fishers_scale(boys):
    fits = [
        fit_model(boys.iloc[i:].dropna(), "correlation", variables=["age", "hgt"]) for i in (0, 300)
    ]
    estimates = Estimates.from_pooled(pool(fits))
    assert estimates.estimates[0] == np.mean([fit.estimates[0] for fit in fits])


def test_of_plain_numbers_are_normal_and_named():
    estimates = Estimates.from_arrays([1.0, -2.0], [0.5, 1.5])
    assert estimates.terms == ("term 1", "term 2")
    np.testing.assert_allclose(
        estimates.half_widths(), stats.norm.ppf(0.975) * np.array([0.5, 1.5])
    )
    assert estimates.significant().tolist() == [True, False]


@pytest.mark.parametrize("error", [0.0, np.nan, np.inf])
def test_a_term_without_an_error_is_refused_by_name(error):
    with pytest.raises(PoolingError, match="'b' has no finite value"):
        Estimates.from_arrays([1.0, 2.0], [1.0, error], terms=["a", "b"])


def test_numbers_that_do_not_belong_together_are_refused():
    with pytest.raises(PoolingError, match="2 estimates have 1 standard errors"):
        Estimates.from_arrays([1.0, 2.0], [1.0])


@pytest.mark.parametrize(("other", "named"), [(["a", "c"], "b"), (["b", "a"], "their order")])
def test_other_terms_are_refused(other, named):
    ours = Estimates.from_arrays([1, 2], [1, 1], terms=["a", "b"])
    with pytest.raises(PoolingError, match=named):
        require_same_terms(ours, Estimates.from_arrays([1, 2], [1, 1], terms=other))
