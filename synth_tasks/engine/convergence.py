"""Convergence of the chains: how far they agree with each other and forget where they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import rankdata

from synth_tasks.errors import PlanError

Parameter = Literal["mean", "sd"]

LEAST_DRAWS = 4

# Values closer than this share of the largest are equal but for rounding. Ranks would tell them
# apart: of an even number of values the two in the middle are equally far from the median.
ROUNDING = 1e-12


def split_rhat(chains: np.ndarray) -> float:
    """Return the rank-normalised split R-hat, the larger of its bulk and its tail version.

    Each chain is cut into halves, so that a trend within a chain counts as a difference between
    chains; of an odd number of draws the middle one is left out. The tail version uses the distance
    of each draw from the median of all. Scores are Φ⁻¹((rank − 1/2) / S), as in R's rstan and mice;
    the offsets of the paper, 3/8 and 1/4, change R-hat little.

    Parameters
    ----------
    chains : ndarray of shape (n_draws, n_chains)
        One quantity, followed through each chain.

    Returns
    -------
    float
        Near 1 if the chains agree, infinite if each stands still at a place of its own. NaN for
        fewer than 4 draws (a half needs two) or 2 chains, if a value is missing, and if all values
        are equal: chains that never move show nothing.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021). Rank-normalization, folding, and
    localization: an improved R-hat for assessing convergence of MCMC. Bayesian Analysis 16(2).
    """
    if len(chains) < LEAST_DRAWS or chains.shape[1] < 2 or np.isnan(chains).any():
        return float("nan")
    chains = chains / (np.abs(chains).max() or 1.0)
    folded = np.abs(chains - np.median(chains))
    # Distances that are all equal say nothing about the tails; the bulk then stands alone.
    return float(np.fmax(_rank_rhat(chains), _rank_rhat(folded)))


def _rank_rhat(chains: np.ndarray) -> float:
    half = len(chains) // 2
    halves = np.hstack([chains[:half], chains[-half:]])
    ranks = rankdata(np.rint(halves / ROUNDING)).reshape(halves.shape)
    scores = ndtri((ranks - 0.5) / halves.size)
    within = scores.var(axis=0, ddof=1).mean()
    between = half * scores.mean(axis=0).var(ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.sqrt((half - 1 + between / within) / half))


def lag_one_autocorrelation(chains: np.ndarray) -> float:
    """Return how strongly the place of a chain among the others persists from draw to draw.

    It is the correlation across chains between each draw and the one before, averaged over the
    draws, as in R's mice. R counts draws where all chains agree as 0; here they are left out.

    Parameters
    ----------
    chains : ndarray of shape (n_draws, n_chains)
        One quantity, followed through each chain.

    Returns
    -------
    float
        Near 0 if the chains mix. NaN for fewer than 2 draws or chains, if a value is missing, and
        if all chains agree in each draw or the one before.
    """
    if len(chains) < 2 or chains.shape[1] < 2:
        return float("nan")
    differs = np.ptp(chains, axis=1) > ROUNDING * np.abs(chains).max()
    centred = chains - chains.mean(axis=1, keepdims=True)
    length = np.where(differs, np.linalg.norm(centred, axis=1), np.nan)
    correlations = (centred[1:] * centred[:-1]).sum(axis=1) / (length[1:] * length[:-1])
    defined = correlations[differs[1:] & differs[:-1]]
    if np.isnan(chains).any() or len(defined) == 0:
        return float("nan")
    return float(defined.mean())


def convergence_table(
    means: np.ndarray,
    variances: np.ndarray,
    names: Sequence[str],
    parameter: Parameter = "mean",
) -> pd.DataFrame:
    """Follow autocorrelation and R-hat through the iterations, as R's ``mice::convergence`` does.

    R also gives an R-hat for the first three iterations, where the halves of a chain have no
    variance; here it is NaN. From the fourth on both agree, except that R-hat in R may tell apart
    values that are equal but for rounding.

    Parameters
    ----------
    means, variances : ndarray of shape (maxit, n_variables, m)
        Mean and variance of the imputed values of each chain after each iteration.
    names : sequence of str
        The variables on the second axis.
    parameter : {"mean", "sd"}, default "mean"
        Look at the means or at the standard deviations.

    Returns
    -------
    DataFrame of shape (maxit * n_variables, 4)
        Columns iteration (from 1), variable, autocorrelation and rhat, each computed from the
        iterations so far; the iterations of one variable stand under each other.
    """
    if parameter not in ("mean", "sd"):
        raise PlanError(f"convergence: unknown parameter '{parameter}'; use mean or sd")
    followed = means if parameter == "mean" else np.sqrt(variances)
    rows = [
        (
            iteration,
            name,
            lag_one_autocorrelation(followed[:iteration, i]),
            split_rhat(followed[:iteration, i]),
        )
        for i, name in enumerate(names)
        for iteration in range(1, len(followed) + 1)
    ]
    return pd.DataFrame(rows, columns=["iteration", "variable", "autocorrelation", "rhat"])
