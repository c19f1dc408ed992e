"""Figures of the whole and of strata: what their intervals hold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from synth_tasks.disclosure.linkage import SELF_LINKAGE_EXCESS
from synth_tasks.ledger import Measurement
from synth_tasks.tasks.part_whole import average_strata, hold_together

Z = norm.isf(0.025)


def measured(value: float, error: float) -> Measurement:
    """A figure with a normal error of this size."""
    interval = (value - Z * error, value + Z * error)
    return SELF_LINKAGE_EXCESS.measure(value, set_number=1, interval=interval, n=10)


def test_the_interval_of_the_whole_is_that_of_a_mean_of_independent_figures() -> None:
    rows, values, errors = [100, 300, 600], [0.5, 0.2, 0.1], [0.3, 0.2, 0.1]
    figures = [[measured(*each)] for each in zip(values, errors, strict=True)]
    (whole,) = average_strata(figures, rows)
    weights = np.array(rows) / 1000
    error = math.sqrt(float(weights**2 @ np.square(errors)))
    assert whole.value == pytest.approx(weights @ values)
    assert whole.lower == pytest.approx(whole.value - Z * error)
    assert whole.upper == pytest.approx(whole.value + Z * error)
    assert (whole.n, whole.stratum) == (30, "")


def test_a_leak_that_no_stratum_shows_is_seen_in_the_whole() -> None:
    figures = [[measured(1.0, 0.7)] for _ in range(25)]
    assert figures[0][0].lower < 0
    (whole,) = average_strata(figures, [40] * 25)
    assert whole.lower > 0.7


def test_each_side_of_an_interval_is_put_together_by_itself() -> None:
    skewed = replace(measured(0.0, 1.0), lower=-0.1, upper=3.0)
    (whole,) = average_strata([[skewed]] * 4, [1] * 4)
    assert (whole.lower, whole.upper) == (pytest.approx(-0.05), pytest.approx(1.5))


def test_a_figure_without_interval_or_not_of_all_strata_makes_none_up() -> None:
    bare = replace(measured(0.3, 0.1), lower=math.nan, upper=math.nan)
    (whole,) = average_strata([[bare], [measured(0.3, 0.1)]], [1, 1])
    assert whole.value == pytest.approx(0.3)
    assert math.isnan(whole.lower)
    assert math.isnan(whole.upper)
    assert average_strata([[bare], []], [1, 1]) == []


@pytest.mark.parametrize("n_strata", [1, 20, 500])
def test_intervals_of_all_strata_hold_at_once_as_often_as_one_of_95_per_cent(n_strata: int) -> None:
    wide = hold_together(measured(0.0, 1.0), n_strata)
    outside = norm.cdf(wide.lower) + norm.sf(wide.upper)
    at_once = (1 - outside) ** n_strata
    assert 0.95 - 1e-9 <= at_once < 0.9513  # Bonferroni's bound is a little wider than needed
    assert hold_together(replace(wide, metric="spmse_pair"), n_strata).lower == wide.lower
