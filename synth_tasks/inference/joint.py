"""Tests of several terms at once.

Each rule has its own: the mean covariance within sets is inflated by one factor for all terms, which is
estimated from the trace, since the covariance between few sets says little about single directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from synth_tasks.errors import PoolingError
from synth_tasks.inference.pooling import PooledEstimates, Spread


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


def wald_test(
    pooled: PooledEstimates,
    terms: Sequence[str] | None = None,
    values: float | Sequence[float] = 0.0,
) -> JointTest:
    """Test that several pooled terms have given values.

    Parameters
    ----------
    pooled : PooledEstimates
        From `pool`.
    terms : sequence of str, optional
        All terms if not given.
    values : float or sequence of float of length k, default 0
        What the terms are under the hypothesis; correlations as Fisher's z.

    Returns
    -------
    JointTest

    Raises
    ------
    PoolingError
        If a term is unknown, or the test is not defined for these sets.

    References
    ----------
    Li, Raghunathan & Rubin (1991). Large-sample significance levels from multiply imputed data using
    moment-based statistics and an F reference distribution. JASA 86, 1065-1073 (rubin1987, "D1").
    Reiter (2005). Significance tests for multi-component estimands from multiply imputed, synthetic
    microdata. Journal of Statistical Planning and Inference 131, 365-377 (reiter2003, rrr2003).
    For nested sets (compare Kinney & Reiter 2010, Journal of Official Statistics 26, 301-315) the
    degrees of freedom are those of Reiter (2004) with averaged components; for populations the test is
    Hotelling's.
    """
    known = list(pooled.table["term"])
    asked = known if terms is None else list(terms)
    unknown = [term for term in asked if term not in known]
    if unknown or not asked:
        raise PoolingError(
            f"unknown term '{unknown[0] if unknown else ''}': use some of {', '.join(known)}"
        )
    places = [known.index(term) for term in asked]
    spread, grid = pooled.spread, np.ix_(places, places)
    difference = spread.estimates[places] - np.asarray(values, dtype=float)
    b, ubar = spread.b[grid], spread.ubar[grid]
    if pooled.rule in ("population_imputed", "population_synthetic"):
        share = 1.0 + 1.0 / spread.m if pooled.rule == "population_imputed" else 1.0 / spread.m
        return _hotelling(difference, share * b, spread.m)
    within = None if spread.within is None else spread.within[grid]
    k = len(places)
    inverse = np.linalg.inv(ubar)
    inflation, df2 = _inflation(
        pooled.rule,
        spread,
        k,
        float(np.trace(b @ inverse)) / k,
        0.0 if within is None else float(np.trace(within @ inverse)) / k,
    )
    return _refer(float(difference @ inverse @ difference) / (k * inflation), k, df2)


def _inflation(
    rule: str, spread: Spread, k: int, between: float, within: float
) -> tuple[float, float]:
    """Return the total variance relative to that within sets, and the degrees of freedom.

    `between` and `within` are the average components relative to the variance within sets.
    """
    m, r = spread.m, spread.r
    t = k * (m - 1)
    if rule in ("raab2016", "raab2016_proper"):
        size = 1.0 / spread.size_ratio
        return 1.0 + (size if rule == "raab2016" else size + 1.0) / m, np.inf
    if rule == "reiter2004":
        first, second = (1.0 + 1.0 / m) * between, within / r
        total = 1.0 + first - second
        if total <= 0.0:
            return 1.0 + first, t * (1.0 + 1.0 / first) ** 2
        parts = first**2 / t + second**2 / (k * m * (r - 1))
        return total, total**2 / parts if parts > 0.0 else np.inf
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


def _hotelling(difference: np.ndarray, covariance: np.ndarray, m: int) -> JointTest:
    k = len(difference)
    if m <= k:
        raise PoolingError(
            f"a test of {k} terms in a population needs more than {k} sets, not {m}: raise m or test "
            "fewer terms"
        )
    squared = float(difference @ np.linalg.solve(covariance, difference))
    statistic = squared * (m - k) / (k * (m - 1))
    return _refer(statistic, k, m - k)


def _refer(statistic: float, df1: float, df2: float) -> JointTest:
    """Refer a statistic to its distribution; with infinite `df2` that is a chi-squared one."""
    tail = stats.chi2.sf(df1 * statistic, df1) if np.isinf(df2) else stats.f.sf(statistic, df1, df2)
    return JointTest(statistic, df1, df2, float(tail))


def pool_statistics(statistics: Sequence[float], k: int) -> JointTest:
    """Pool chi-squared statistics of imputed sets, with nothing else known of the fits ("D2").

    Parameters
    ----------
    statistics : sequence of float, length m
        Wald or likelihood-ratio statistics of one hypothesis, one a set; m is at least 2.
    k : int
        Their degrees of freedom.

    Returns
    -------
    JointTest
        It has less power than `wald_test`, and holds for imputed data only.

    References
    ----------
    Li, Meng, Raghunathan & Rubin (1991). Significance levels from repeated p-values with multiply-
    imputed data. Statistica Sinica 1, 65-92.
    """
    d = np.asarray(statistics, dtype=float)
    m = len(d)
    if m < 2 or not (np.isfinite(d).all() and (d >= 0).all()):
        raise PoolingError("give two or more finite statistics of 0 or more, one a data set")
    added = (1.0 + 1.0 / m) * float(np.sqrt(d).var(ddof=1))
    statistic = max(0.0, (float(d.mean()) / k - (m + 1) / (m - 1) * added) / (1.0 + added))
    df2 = k ** (-3.0 / m) * (m - 1) * (1.0 + 1.0 / added) ** 2 if added > 0.0 else np.inf
    return _refer(statistic, k, df2)
