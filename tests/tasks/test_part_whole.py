"""Figures of the whole and of strata: what their intervals hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from synth_tasks.data import infer_schema
from synth_tasks.disclosure.attribution_probability import DCAP
from synth_tasks.disclosure.exact_matches import measure_exact_matches
from synth_tasks.disclosure.extremes import measure_extremes
from synth_tasks.ledger import Measurement
from synth_tasks.tasks.part_assess import StratumFigures
from synth_tasks.tasks.part_whole import average_strata, hold_together
from synth_tasks.utility.pair import TablePair

Z = norm.isf(0.025)


def measured(value: float, error: float) -> Measurement:
    """A figure with a normal error of this size."""
    interval = (value - Z * error, value + Z * error)
    return DCAP.measure(value, interval=interval, n=10)


def of_stratum(
    *measurements: Measurement, rows: int = 1, set_rows: Sequence[int] = (1,)
) -> StratumFigures:
    return StratumFigures(list(measurements), [], [], rows, list(set_rows))


def test_the_interval_of_the_whole_is_that_of_a_mean_of_independent_figures() -> None:
    rows, values, errors = [100, 300, 600], [0.5, 0.2, 0.1], [0.3, 0.2, 0.1]
    figures = [
        of_stratum(measured(value, error), rows=n)
        for value, error, n in zip(values, errors, rows, strict=True)
    ]
    (whole,) = average_strata(figures)
    weights = np.array(rows) / 1000
    error = math.sqrt(float(weights**2 @ np.square(errors)))
    assert whole.value == pytest.approx(weights @ values)
    assert whole.lower == pytest.approx(whole.value - Z * error)
    assert whole.upper == pytest.approx(whole.value + Z * error)
    assert (whole.n, whole.stratum) == (30, "")


def test_a_leak_that_no_stratum_shows_is_seen_in_the_whole() -> None:
    figures = [of_stratum(measured(1.0, 0.7), rows=40)] * 25
    assert measured(1.0, 0.7).lower < 0
    (whole,) = average_strata(figures)
    assert whole.lower > 0.7


def test_each_side_of_an_interval_is_put_together_by_itself() -> None:
    skewed = replace(measured(0.0, 1.0), lower=-0.1, upper=3.0)
    (whole,) = average_strata([of_stratum(skewed)] * 4)
    assert (whole.lower, whole.upper) == (pytest.approx(-0.05), pytest.approx(1.5))


def test_a_figure_without_interval_or_not_of_all_strata_makes_none_up() -> None:
    bare = replace(measured(0.3, 0.1), lower=math.nan, upper=math.nan)
    (whole,) = average_strata([of_stratum(bare), of_stratum(measured(0.3, 0.1))])
    assert whole.value == pytest.approx(0.3)
    assert math.isnan(whole.lower)
    assert math.isnan(whole.upper)
    assert average_strata([of_stratum(bare), of_stratum()]) == []


@pytest.mark.parametrize("n_strata", [1, 20, 500])
def test_intervals_of_all_strata_hold_at_once_as_often_as_one_of_95_per_cent(n_strata: int) -> None:
    wide = hold_together(measured(0.0, 1.0), n_strata)
    outside = norm.cdf(wide.lower) + norm.sf(wide.upper)
    at_once = (1 - outside) ** n_strata
    assert 0.95 - 1e-9 <= at_once < 0.9513  # Bonferroni's bound is a little wider than needed


@pytest.mark.parametrize("metric", ["spmse_pair_max", "missing_rate_difference_max"])
def test_what_was_measured_for_all_strata_at_once_is_not_widened_again(metric: str) -> None:
    measurement = replace(measured(0.0, 1.0), metric=metric)
    assert hold_together(measurement, 20) == measurement


def pair(n: int, k: int, seed: int) -> TablePair:
    """Numbers of two digits with holes, of which some rows are equal by chance."""
    rng = np.random.default_rng(seed)
    schema = infer_schema(pd.DataFrame({"x": [0.5, np.nan], "y": [1, 2]}))
    real, synthetic = (
        np.column_stack([np.round(rng.gamma(2, 2, rows), 1), rng.integers(0, 9, rows)])
        for rows in (n, k)
    )
    synthetic[rng.random(k) < 0.2, 0] = np.nan
    return TablePair(schema, real, synthetic, 1)


def test_shares_of_synthetic_rows_are_those_of_the_whole_set() -> None:
    # Strata whose sizes were drawn: none has in the set as many rows as in the data.
    sizes = [(40, 90), (300, 210), (160, 200)]
    parts = [pair(n, k, seed) for seed, (n, k) in enumerate(sizes)]
    figures = [
        of_stratum(*measure_exact_matches(part), rows=n, set_rows=[k])
        for part, (n, k) in zip(parts, sizes, strict=True)
    ]
    code = [np.repeat(range(3), each) for each in zip(*sizes, strict=True)]
    schema = infer_schema(pd.DataFrame({"x": [0.5, np.nan], "y": [1, 2], "stratum": [0, 1]}))
    real, synthetic = (
        np.column_stack([np.concatenate([getattr(p, name) for p in parts]), own])
        for name, own in zip(("real", "synthetic"), code, strict=True)
    )
    whole = measure_exact_matches(TablePair(schema, real, synthetic, 1))
    found = average_strata(figures)
    assert [(m.metric, m.n) for m in found] == [(m.metric, m.n) for m in whole]
    assert [m.value for m in found] == pytest.approx([m.value for m in whole], rel=1e-12)
    assert found[0].value > found[1].value > 0


def test_shares_of_synthetic_values_are_weighted_by_values() -> None:
    parts = [pair(40, 90, 5), pair(300, 210, 6)]
    figures = [
        of_stratum(*measure_extremes(part, 30), rows=len(part.real), set_rows=[len(part.synthetic)])
        for part in parts
    ]
    found = {(m.metric, m.target): m for m in average_strata(figures)}["extreme_share", "x"]
    single = [next(m for m in each.measurements if m.metric == "extreme_share") for each in figures]
    beyond = sum(m.value * m.n for m in single)
    assert found.value == pytest.approx(beyond / sum(m.n for m in single))
