"""Confidence intervals for shares, at 95 % unless said otherwise."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

CONFIDENCE = 0.95

Interval = tuple[float, float]


def wilson(successes: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Compute the score interval of a share.

    Parameters
    ----------
    successes : float
        Number of successes, 0 to n; shared credit may make it a fraction.
    n : int
        Number of trials. Without trials the interval is (0, 1).
    confidence : float
        Coverage.

    Returns
    -------
    tuple of float
        Lower and upper limit, within [0, 1].

    Notes
    -----
    (p + z²/2n ± z sqrt(p (1 - p)/n + z²/4n²)) / (1 + z²/n).

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. Journal of
    the American Statistical Association 22, 209-212.
    """
    if n == 0:
        return 0.0, 1.0
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    share = successes / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    scale = 1 + z * z / n
    # At the ends the limit is exact, but rounding would leave 1e-17 of it.
    lower = 0.0 if successes == 0 else (centre - half) / scale
    upper = 1.0 if successes == n else (centre + half) / scale
    return lower, upper


def clopper_pearson(successes: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Compute the exact binomial interval of a share; it covers at least as often as it says.

    Parameters and return value as in `wilson`; between whole numbers of successes the limits are
    interpolated by the beta distribution.

    References
    ----------
    Clopper & Pearson (1934). The use of confidence or fiducial limits illustrated in the case of the
    binomial. Biometrika 26, 404-413.
    """
    tail = (1 - confidence) / 2
    lower = stats.beta.ppf(tail, successes, n - successes + 1) if successes > 0 else 0.0
    upper = stats.beta.ppf(1 - tail, successes + 1, n - successes) if successes < n else 1.0
    return float(lower), float(upper)


def difference_of_shares(
    successes: float, n: int, other_successes: float, other_n: int, confidence: float = CONFIDENCE
) -> Interval:
    """Compute the hybrid score interval of one share minus another.

    Returns
    -------
    tuple of float
        Lower and upper limit, within [-1, 1].

    References
    ----------
    Newcombe (1998). Interval estimation for the difference between independent proportions.
    Statistics in Medicine 17, 873-890, method 10.
    """
    share, other = successes / n, other_successes / other_n
    lower, upper = wilson(successes, n, confidence)
    other_lower, other_upper = wilson(other_successes, other_n, confidence)
    below = math.hypot(share - lower, other_upper - other)
    above = math.hypot(upper - share, other - other_lower)
    return share - other - below, share - other + above


def mean_interval(values: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """Compute the normal interval of a mean of shares, cut at 0 and 1.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Independent shares within [0, 1], n > 0.
    confidence : float
        Coverage, for large n.
    """
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    mean, half = float(values.mean()), z * float(values.std()) / math.sqrt(len(values))
    return max(mean - half, 0.0), min(mean + half, 1.0)


def median_interval(values: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """Compute the distribution-free interval of a median from order statistics.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Independent values, n > 0. Small samples give their smallest and largest value.
    confidence : float
        Coverage.
    """
    ordered = np.sort(values)
    n = len(ordered)
    first = max(int(stats.binom.ppf((1 - confidence) / 2, n, 0.5)) - 1, 0)
    return float(ordered[first]), float(ordered[n - 1 - first])
