"""How well scores tell synthetic rows from real ones.

A score is the estimated propensity of a row to be synthetic. With c the share of synthetic rows,

``pMSE``    mean of (score - c)², in [0, max(c, 1 - c)²]
``SPECKS``  the largest difference between the distribution functions of the scores of real and of
            synthetic rows (Kolmogorov-Smirnov), in [0, 1]
``AUC``     probability that a synthetic row has a greater score than a real one, ties counted half

References
----------
Woo, Reiter, Oganian & Karr (2009). Global measures of data utility for microdata masked for
disclosure limitation. Journal of Privacy and Confidentiality 1, 111-124 (pMSE).
Bowen, Liu & Su (2021). Differentially private data release via statistical election to partition
sequentially. METRON 79, 1-31 (SPECKS).
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from synth_tasks.utility.intervals import CONFIDENCE, Interval


def pmse(scores: np.ndarray, synthetic_share: float) -> float:
    """Compute the propensity mean squared error.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        One a row, real and synthetic.
    synthetic_share : float
        c, see the top of the module.
    """
    return float(np.mean((scores - synthetic_share) ** 2))


def specks(scores: np.ndarray, is_synthetic: np.ndarray) -> float:
    """Compute the Kolmogorov-Smirnov distance of the scores of both tables.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        One a row.
    is_synthetic : ndarray of bool of shape (n_rows,)
        Which table a row is from; both occur.
    """
    return kolmogorov_smirnov(scores[~is_synthetic], scores[is_synthetic])


def kolmogorov_smirnov(first: np.ndarray, second: np.ndarray) -> float:
    """Compute the largest difference of two empirical distribution functions.

    Parameters
    ----------
    first, second : ndarray of shape (n,) and (k,)
        Values, none missing; both have at least one.
    """
    first, second = np.sort(first), np.sort(second)
    values = np.concatenate([first, second])
    below_first = np.searchsorted(first, values, side="right") / len(first)
    below_second = np.searchsorted(second, values, side="right") / len(second)
    return float(np.abs(below_first - below_second).max())


def area_under_curve(scores: np.ndarray, is_synthetic: np.ndarray) -> tuple[float, Interval]:
    """Compute the AUC with its 95 % interval.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        One a row, from a model that did not see the row.
    is_synthetic : ndarray of bool of shape (n_rows,)
        Which table a row is from; both occur.

    Returns
    -------
    auc : float
    interval : tuple of two float
        Within [0, 1], normal, from the variance of DeLong, DeLong & Clarke-Pearson (1988). Comparing
        two or more correlated curves. Biometrics 44, 837-845.

    Notes
    -----
    With R a rank among all rows and R' one among the rows of the same table, a synthetic row has
    (R - R') / n real rows below it: the placements, whose variances make up that of the AUC.
    """
    real, synthetic = scores[~is_synthetic], scores[is_synthetic]
    n, k = len(real), len(synthetic)
    ranks = stats.rankdata(np.concatenate([real, synthetic]))
    below = (ranks[n:] - stats.rankdata(synthetic)) / n
    above = 1 - (ranks[:n] - stats.rankdata(real)) / k
    auc = float(below.mean())
    variance = below.var() / k + above.var() / n
    half = float(stats.norm.ppf(0.5 + CONFIDENCE / 2)) * math.sqrt(variance)
    return auc, (max(0.0, auc - half), min(1.0, auc + half))
