"""By how much rules inflate the covariance within sets, for tests of several terms.

The mean covariance within sets is inflated by one factor for all terms, which is estimated from
averages over terms, since the covariance between few sets says little about single directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from synth_tasks.errors import PoolingError


@dataclass(frozen=True)
class JointTest:
    """A test that several terms have given values.

    Parameters
    ----------
    statistic : float
        Refers to an F distribution.
    df1, df2 : float
        Its degrees of freedom; `df2` may be infinite.
    p_value : float
        Probability of a statistic as large or larger.
    """

    statistic: float
    df1: float
    df2: float
    p_value: float


def inflate(
    rule: str, k: int, m: int, r: int, size_ratio: float, between: float, within: float
) -> tuple[float, float]:
    """Return the total variance relative to that within sets, and the degrees of freedom.

    Parameters
    ----------
    rule : str
        Name of a rule that is not for populations.
    k : int
        Terms tested.
    m, r : int
        Sets, or imputations and syntheses of each.
    size_ratio : float
        Rows of a set divided by rows of the real sample.
    between, within : float
        Average components relative to the variance within sets: between sets or means of imputations,
        and within imputations.

    Returns
    -------
    inflation, df2 : float

    Raises
    ------
    PoolingError
        If the variance would not be positive, under ``rrr2003``.
    """
    t = k * (m - 1)
    if rule in ("raab2016", "raab2016_proper"):
        size = 1.0 / size_ratio
        return 1.0 + (size if rule == "raab2016" else size + 1.0) / m, np.inf
    if rule == "reiter2004":
        first, second = (1.0 + 1.0 / m) * between, within / r
        total = 1.0 + first - second
        if total <= 0.0:
            return 1.0 + first, t * (1.0 + 1.0 / first) ** 2 if first > 0.0 else np.inf
        parts = first**2 / t + second**2 / (k * m * (r - 1))
        df2 = total**2 / parts if parts > 0.0 else np.inf
        # As of single terms: a small difference of large components is one by chance.
        return (total, df2) if df2 >= t else (1.0 + first, float(t))
    if rule == "rrr2003":
        added = (1.0 + 1.0 / m) * between
        if added <= 1.0:
            raise PoolingError(
                "the test of several terms is not defined here: the variance between sets is no larger "
                "than that within them; synthesise more sets (m), or use rule reiter2003"
            )
        return added - 1.0, _df(t, k, added, -1.0)
    added = between / m if rule == "reiter2003" else (1.0 + 1.0 / m) * between
    return 1.0 + added, np.inf if added == 0.0 else _df(t, k, added, 1.0)


def _df(t: int, k: int, added: float, sign: float) -> float:
    if t > 4:
        return 4.0 + (t - 4.0) * (1.0 + sign * (1.0 - 2.0 / t) / added) ** 2
    return t * (1.0 + 1.0 / k) * (1.0 + sign / added) ** 2 / 2.0


def refer(statistic: float, df1: float, df2: float) -> JointTest:
    """Refer a statistic to its distribution; with infinite `df2` that is a chi-squared one."""
    tail = stats.chi2.sf(df1 * statistic, df1) if np.isinf(df2) else stats.f.sf(statistic, df1, df2)
    return JointTest(statistic, df1, df2, float(tail))
