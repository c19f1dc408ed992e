import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.disclosure.disco import DISCLOSIVE_ORIGINAL, DISCO
from synth_tasks.disclosure.exact_matches import EXACT_MATCH
from synth_tasks.disclosure.excess import excess_of, measure_excess, paired_interval
from synth_tasks.ledger import Goal

SHARES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)


def by_counts(both, only_first, only_second, neither):
    first = np.repeat([1.0, 1.0, 0.0, 0.0], [both, only_first, only_second, neither])
    second = np.repeat([1.0, 0.0, 1.0, 0.0], [both, only_first, only_second, neither])
    return first, second


def bonett_and_price(only_first, only_second, n):
    """The interval as printed: p12 and p21 with one record added to each."""
    p12, p21 = (only_first + 1) / (n + 2), (only_second + 1) / (n + 2)
    reach = 1.959963984540054 * math.sqrt((p12 + p21 - (p12 - p21) ** 2) / (n + 2))
    return p12 - p21 - reach, p12 - p21 + reach


@pytest.mark.parametrize("counts", [(53, 16, 8, 9), (0, 0, 0, 40), (5, 0, 30, 1), (0, 7, 0, 0)])
def test_interval_is_that_of_bonett_and_price_for_pairs_of_yes_and_no(counts):
    first, second = by_counts(*counts)
    expected = bonett_and_price(counts[1], counts[2], sum(counts))
    assert paired_interval(first - second) == pytest.approx(np.clip(expected, -1, 1))


@given(SHARES)
def test_interval_holds_the_difference_and_never_has_width_zero(pairs):
    own, other = np.array(pairs).T
    lower, upper = paired_interval(own - other)
    assert -1 <= lower < upper <= 1
    assert lower - 1e-12 <= (own - other).mean() <= upper + 1e-12


def test_values_that_repeat_a_unit_do_not_count_as_more_units():
    difference = np.array([1.0, 0.0, 0.0, -1.0, 1.0])
    assert paired_interval(np.tile(difference, 4), 5) == pytest.approx(paired_interval(difference))


def test_by_hand():
    own, other = by_counts(2, 3, 1, 4)
    measured = measure_excess(excess_of(EXACT_MATCH), own, other, target="t", keys="k")
    assert (measured.metric, measured.value) == ("exact_match_excess", pytest.approx(0.2))
    assert (measured.control, measured.null) == (pytest.approx(0.3), 0)
    assert (measured.target, measured.keys, measured.n, measured.set_number) == ("t", "k", 10, 0)
    percent = measure_excess(excess_of(DISCO), own, other)
    assert (percent.value, percent.control) == (pytest.approx(20), pytest.approx(30))
    assert percent.lower == pytest.approx(100 * measured.lower)


def test_an_excess_is_to_be_low_unless_it_only_informs():
    assert excess_of(DISCO).goal is Goal.LOW
    assert excess_of(DISCLOSIVE_ORIGINAL).goal is Goal.INFORMATION
    assert (excess_of(DISCO).minimum, excess_of(DISCO).maximum) == (-100, 100)


@pytest.mark.parametrize(("rate", "shift"), [(0.12, 0.0), (0.01, 0.0), (0.3, 0.02)])
def test_interval_covers_as_often_as_it_says(rate, shift):
    rng = np.random.default_rng(1)
    replicates, n = 2000, 500
    # The two verdicts on one record often agree.
    own = rng.random((replicates, n)) < rate + shift
    other = np.where(rng.random((replicates, n)) < 0.5, own, rng.random((replicates, n)) < rate)
    truth = shift / 2
    limits = np.array(
        [paired_interval(a.astype(float) - b) for a, b in zip(own, other, strict=True)]
    )
    covered = np.mean((limits[:, 0] <= truth) & (truth <= limits[:, 1]))
    assert covered > 0.95 - 4 * math.sqrt(0.95 * 0.05 / replicates)
