import numpy as np
import pytest
from scipy import stats

from synth_tasks.inference import ModelFit, pool
from synth_tasks.seeding import generator
from synth_tasks.utility import Estimates, HowMade
from synth_tasks.utility.lack_of_fit import mahalanobis, measure_lack_of_fit

COVARIANCE = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.3], [0.0, 0.3, 4.0]])


def fit(estimates, covariance=COVARIANCE):
    terms = tuple(f"t{i}" for i in range(len(estimates)))
    return ModelFit("ols", "y", terms, np.asarray(estimates), covariance, np.inf, 100)


def synthesise(how, rng, partial=0.0):
    real = rng.multivariate_normal(np.zeros(3), COVARIANCE)
    spread = partial or how.m * how.tau2
    fits = [fit(rng.multivariate_normal(real, spread * COVARIANCE)) for _ in range(how.m)]
    synthetic = Estimates.from_fit(fits[0]) if how.rule is None else None
    synthetic = synthetic or Estimates.from_pooled(pool(fits, how.rule))
    return measure_lack_of_fit(Estimates.from_fit(fit(real)), synthetic, how, label="a")


@pytest.mark.parametrize(
    ("how", "partial"),
    [
        (HowMade(), 0.0),
        (HowMade(m=5, rule="reiter2003", proper=True), 0.0),
        (HowMade(m=8, rule="reiter2003", complete=False), 0.3),
    ],
)
def test_p_is_evenly_spread_if_the_synthesis_is_right(how, partial):
    rng = generator(1, "lack of fit", str(how))
    found = [synthesise(how, rng, partial) for _ in range(300)]
    assert stats.kstest([p.value for _, p in found], "uniform").pvalue > 0.001
    mean = np.mean([ratio.value for ratio, _ in found])
    # The mean of F with 3 and 5 degrees of freedom is 5 / 3, that of chi-square / df is 1.
    assert mean == pytest.approx(1 if how.complete else 5 / 3, rel=0.25)


def test_statistic_by_hand():
    real = Estimates.from_arrays([0.0, 0.0], [1.0, 2.0])
    ratio, p = measure_lack_of_fit(
        real, Estimates.from_arrays([1.0, 4.0], [1.0, 2.0]), HowMade(size_ratio=2.0), label="a"
    )
    # (1 + 4) / tau², with tau² = 1/2 and two degrees of freedom
    assert ratio.value == pytest.approx(5.0)
    assert p.value == pytest.approx(np.exp(-10 / 2))
    assert (ratio.target, ratio.n) == ("a", 2)


def test_dependent_terms_count_once():
    covariance = np.array([[1.0, 1e3], [1e3, 1e6]])
    assert mahalanobis(np.array([2.0, 2e3]), covariance) == (pytest.approx(4.0), 1)


def test_too_few_partial_syntheses_are_not_tested():
    rng = generator(2, "lack of fit")
    assert synthesise(HowMade(m=3, rule="reiter2003", complete=False), rng, 0.3) == []
