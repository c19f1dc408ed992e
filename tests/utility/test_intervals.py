import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synth_tasks.seeding import generator
from synth_tasks.utility.intervals import (
    clopper_pearson,
    difference_of_shares,
    mean_interval,
    median_interval,
    wilson,
)

TRIALS = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_wilson_and_clopper_pearson_equal_those_of_r():
    # prop.test(3, 20, correct = FALSE)$conf.int and binom.test(3, 20)$conf.int in R 4.2.2
    assert wilson(3, 20) == pytest.approx((0.05236875, 0.36041886), abs=1e-8)
    assert clopper_pearson(3, 20) == pytest.approx((0.03207094, 0.37892683), abs=1e-8)


@given(TRIALS)
def test_intervals_hold_the_share_and_stay_within_bounds(trials):
    successes, n = trials
    for interval in (wilson, clopper_pearson):
        lower, upper = interval(successes, n)
        assert 0 <= lower <= successes / n <= upper <= 1
    assert wilson(0, n)[0] == clopper_pearson(0, n)[0] == 0
    assert wilson(n, n)[1] == clopper_pearson(n, n)[1] == 1


def test_no_trial_says_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


def test_shared_credit_lies_between_whole_numbers():
    for interval in (wilson, clopper_pearson):
        limits = np.array([interval(successes, 50) for successes in (2, 2.5, 3)])
        assert (np.diff(limits, axis=0) > 0).all()


def test_difference_equals_the_published_example():
    # Newcombe (1998), table II, example (a): 56/70 - 48/80, method 10.
    assert difference_of_shares(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_median_interval_covers():
    rng = generator(3, "median")
    covered = [
        lower <= 0.5 <= upper
        for lower, upper in (median_interval(values) for values in rng.random((1000, 101)))
    ]
    assert np.mean(covered) > stats.binom.ppf(0.001, 1000, 0.95) / 1000


def test_median_interval_of_a_single_value_is_that_value():
    assert median_interval(np.array([0.25])) == (0.25, 0.25)


def test_mean_interval_by_hand():
    lower, upper = mean_interval(np.array([0.2, 0.4] * 50))
    assert (lower, upper) == pytest.approx((0.3 - 1.959964 * 0.01, 0.3 + 1.959964 * 0.01))
    assert mean_interval(np.array([0.0, 0.0, 1.0]))[0] == 0
