"""Bias, coverage and their Monte Carlo errors, against figures worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from synth_tasks.study import Population, Replicates, tabulate_coverage, tabulate_linkage
from tests.study.builders import population

MEAN = [{"model": "mean", "variables": ["x"]}]
CORRELATION = [{"model": "correlation", "variables": ["x", "y"]}]


def replicates(made: Population, figures: np.ndarray) -> Replicates:
    """Make replicates of one estimand, from an array of shape (R, 2, 4)."""
    n = len(figures)
    statistics = np.zeros((n, 2, len(made.schema), 10))
    failures = pd.DataFrame(columns=["replicate", "source", "analysis", "reason"])
    return Replicates(
        np.arange(1, n + 1), figures[:, :, None], statistics, np.full(n, 0.25), failures
    )


def interval(estimate: float, half: float) -> list[float]:
    return [estimate, half / 2, estimate - half, estimate + half]


@pytest.fixture(scope="module")
def made() -> Population:
    return population(analysis=MEAN)


@pytest.fixture(scope="module")
def row(made: Population) -> pd.Series:
    true = made.terms["true"][0]
    away = [(0.5, 0.5), (-0.5, 2.0), (0.0, 1.5), (2.0, 0.5)]
    figures = [[interval(true + a, 1.0), interval(true + b, 1.25)] for a, b in away]
    return tabulate_coverage(made, replicates(made, np.array(figures))).iloc[0]


def test_bias_is_the_mean_error(row: pd.Series) -> None:
    assert row["bootstrap_bias"] == pytest.approx(0.5)
    assert row["synthetic_bias"] == pytest.approx(1.125)
    assert row["bootstrap_mean"] - row["true"] == pytest.approx(0.5)


def test_its_error_is_that_of_a_mean(row: pd.Series) -> None:
    assert row["synthetic_bias_se"] == pytest.approx(np.std([0.5, 2, 1.5, 0.5], ddof=1) / 2)


def test_coverage_is_the_share_of_intervals_that_hold_the_truth(row: pd.Series) -> None:
    assert row["bootstrap_coverage"] == 0.75
    assert row["synthetic_coverage"] == 0.5
    assert row["bootstrap_coverage_se"] == pytest.approx(np.std([1, 1, 1, 0], ddof=1) / 2)


def test_coverages_are_compared_sample_by_sample(row: pd.Series) -> None:
    assert row["coverage_difference"] == -0.25
    assert row["coverage_difference_se"] == pytest.approx(np.std([0, -1, -1, 1], ddof=1) / 2)


def test_intervals_are_compared_by_width_and_overlap(row: pd.Series) -> None:
    assert row["width_ratio"] == pytest.approx(1.25)
    shared = np.array([2.0, -0.25, 0.75, 0.75])
    assert row["interval_overlap"] == pytest.approx(((shared / 2 + shared / 2.5) / 2).mean())


def test_bias_is_also_told_in_standard_deviations_of_a_real_estimate(row: pd.Series) -> None:
    assert row["std_bias"] == pytest.approx(1.125 / np.std([0.5, -0.5, 0, 2], ddof=1))


def test_correlations_are_averaged_on_the_scale_of_fisher() -> None:
    made = population(analysis=CORRELATION)
    figures = np.array([[interval(r, 0.1), interval(r, 0.1)] for r in (0.2, 0.9)])
    row = tabulate_coverage(made, replicates(made, figures)).iloc[0]
    z = np.arctanh([0.2, 0.9])
    assert row["synthetic_mean"] == pytest.approx(np.tanh(z.mean()))
    error = np.std(z, ddof=1) / np.sqrt(2)
    assert row["synthetic_bias_se"] == pytest.approx(error * (1 - np.tanh(z.mean()) ** 2))


def test_failed_replicates_are_counted_and_nothing_else_counts_them(made: Population) -> None:
    true = made.terms["true"][0]
    figures = np.array([[interval(true, 1.0), interval(true, 1.0)]] * 3)
    figures[1, 1] = np.nan
    row = tabulate_coverage(made, replicates(made, figures)).iloc[0]
    assert (row["bootstrap_failed"], row["synthetic_failed"], row["replicates"]) == (0, 1, 2)
    assert row["synthetic_coverage"] == 1.0


def test_linkage_is_told_with_its_interval_and_what_chance_gives(made: Population) -> None:
    figures = np.zeros((50, 2, 4))
    row = tabulate_linkage(made, replicates(made, figures)).iloc[0]
    assert (row["self_linkage"], row["null"], row["n"]) == (0.25, 1 / 120, 5000)
    assert row["lower"] < 0.25 < row["upper"] < 0.27
