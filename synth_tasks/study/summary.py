"""What the replicates of a study say: bias, coverage, and how sure that is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synth_tasks.study.population import Population
from synth_tasks.study.replicate import FIGURES, LINKED_ROWS, SOURCES, Replicates
from synth_tasks.utility.intervals import wilson

BOOTSTRAP, SYNTHETIC = range(len(SOURCES))
ESTIMATE, STD_ERROR, LOW, HIGH = range(len(FIGURES))


def tabulate_coverage(population: Population, replicates: Replicates) -> pd.DataFrame:
    """Compare estimates and intervals with the truth, estimand by estimand.

    Parameters
    ----------
    population : Population
        Holds the truth.
    replicates : Replicates
        The study.

    Returns
    -------
    DataFrame with k rows
        - ``analysis``, ``model``, ``term``, ``scale``, ``true``;
        - for the bootstrap samples (``bootstrap_*``) and the pooled synthetic sets (``synthetic_*``):
          ``mean`` and ``bias`` = mean minus true (correlations are averaged on Fisher's z scale, as in
          Volker & Vink), ``bias_se`` its Monte Carlo standard error, ``coverage`` the share of 95 %
          intervals that hold the truth, ``coverage_se``, and ``failed``, the number of replicates in
          which the model could not be estimated, which no other column counts;
        - ``coverage_difference``, synthetic minus bootstrap, and its ``_se``: both see the same
          samples, so it is surer than either coverage;
        - ``std_bias``, the synthetic bias in standard deviations of the bootstrap estimate;
        - ``width_ratio``, the mean of synthetic over bootstrap widths of the interval;
        - ``interval_overlap``, the mean overlap of the two intervals (Karr et al. 2006);
        - ``replicates``, in which both were estimated.

    References
    ----------
    Morris, White & Crowther (2019). Using simulation studies to evaluate statistical methods.
    Statistics in Medicine 38, 2074-2102.
    Karr, Kohnen, Oganian, Reiter & Sanil (2006). A framework for evaluating the utility of data altered
    to protect confidentiality. The American Statistician 60, 224-232.
    """
    table = population.terms
    true = table["true"].to_numpy()
    is_correlation = (table["scale"] == "fisher_z").to_numpy()
    covered, failed = [], []
    for position, source in enumerate(SOURCES):
        own = replicates.estimates[:, position]
        inside = _mark_failed((own[..., LOW] <= true) & (true <= own[..., HIGH]), own)
        mean, se = _mean_estimate(own[..., ESTIMATE], is_correlation)
        table[f"{source}_mean"] = mean
        table[f"{source}_bias"] = mean - true
        table[f"{source}_bias_se"] = se
        table[f"{source}_coverage"], table[f"{source}_coverage_se"] = _mean_and_error(inside)
        covered.append(inside)
        failed.append(np.isnan(own[..., ESTIMATE]).sum(axis=0))
    gap, gap_se = _mean_and_error(covered[SYNTHETIC] - covered[BOOTSTRAP])
    table["coverage_difference"], table["coverage_difference_se"] = gap, gap_se
    table["std_bias"] = _standardise(table, replicates)
    table["width_ratio"], table["interval_overlap"] = _compare_intervals(replicates.estimates)
    table["replicates"] = np.isfinite(replicates.estimates[..., ESTIMATE]).all(axis=1).sum(axis=0)
    table["bootstrap_failed"], table["synthetic_failed"] = failed
    return table


def _mark_failed(flags: np.ndarray, figures: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(figures[..., ESTIMATE]), np.nan, flags.astype(float))


def _mean_estimate(
    estimates: np.ndarray, is_correlation: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    z = estimates.copy()
    z[:, is_correlation] = np.arctanh(z[:, is_correlation])
    mean, se = _mean_and_error(z)
    r = np.tanh(mean[is_correlation])
    se[is_correlation] *= 1 - r**2
    mean[is_correlation] = r
    return mean, se


def _mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means over replicates and their Monte Carlo standard errors, without failed ones."""
    n = np.isfinite(values).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n > 0, np.nansum(values, axis=0) / n, np.nan)
        variance = np.nansum((values - mean) ** 2, axis=0) / (n - 1)
        return mean, np.where(n > 1, np.sqrt(variance / n), np.nan)


def _standardise(table: pd.DataFrame, replicates: Replicates) -> np.ndarray:
    """Return the synthetic bias in units of the sampling standard deviation."""
    n = np.isfinite(replicates.estimates[:, BOOTSTRAP, :, ESTIMATE]).sum(axis=0)
    spread = table["bootstrap_bias_se"].to_numpy() * np.sqrt(n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return table["synthetic_bias"].to_numpy() / spread


def _compare_intervals(estimates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = estimates[..., LOW], estimates[..., HIGH]
    width = high - low
    with np.errstate(invalid="ignore", divide="ignore"):
        common = np.minimum(high[:, 0], high[:, 1]) - np.maximum(low[:, 0], low[:, 1])
        overlap = (common / width[:, 0] + common / width[:, 1]) / 2
        ratio = width[:, SYNTHETIC] / width[:, BOOTSTRAP]
    return _mean_and_error(ratio)[0], _mean_and_error(overlap)[0]


def tabulate_statistics(population: Population, replicates: Replicates) -> pd.DataFrame:
    """Compare univariate statistics with those of the population.

    Returns
    -------
    DataFrame
        Columns variable, statistic, true, and for both sources mean and bias with its Monte Carlo
        standard error.
    """
    table = population.statistics
    for position, source in enumerate(SOURCES):
        own = replicates.statistics[:, position]
        mean, se = _mean_and_error(own.reshape(len(own), -1))
        table[f"{source}_mean"] = mean
        table[f"{source}_bias"] = mean - table["true"]
        table[f"{source}_bias_se"] = se
    return table


def tabulate_linkage(population: Population, replicates: Replicates) -> pd.DataFrame:
    """Say how often the nearest real row of a synthetic row is the one it was made from.

    Returns
    -------
    DataFrame with one row
        ``self_linkage`` with a 95 % interval (``lower``, ``upper``), ``null``, what chance gives, and
        ``n``, the rows compared.
    """
    rows = min(LINKED_ROWS, population.plan.k, len(population.matrix))
    n = rows * len(replicates.numbers)
    share = float(replicates.linkage.mean())
    lower, upper = wilson(share * n, n)
    null = 1 / len(population.matrix)
    values = [(share, lower, upper, null, n)]
    return pd.DataFrame(values, columns=["self_linkage", "lower", "upper", "null", "n"])
