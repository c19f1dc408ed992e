"""Tests of several terms at once, from estimates and covariances, or from statistics of sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_tasks.errors import PoolingError
from synth_tasks.inference.inflation import JointTest, inflate, refer
from synth_tasks.inference.pooled import PooledEstimates

# Of a correlation matrix of estimates, beyond which its inverse is a matter of rounding.
LARGEST_CONDITION = 1e12


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
    inverse = _invert(ubar, "within")
    inflation, df2 = inflate(
        pooled.rule,
        k,
        spread.m,
        spread.r,
        spread.size_ratio,
        between=float(np.trace(b @ inverse)) / k,
        within=0.0 if within is None else float(np.trace(within @ inverse)) / k,
    )
    return refer(float(difference @ inverse @ difference) / (k * inflation), k, df2)


def _hotelling(difference: np.ndarray, covariance: np.ndarray, m: int) -> JointTest:
    k = len(difference)
    if m <= k:
        raise PoolingError(
            f"a test of {k} terms in a population needs more than {k} sets, not {m}: raise m or test "
            "fewer terms"
        )
    squared = float(difference @ _invert(covariance, "between") @ difference)
    statistic = squared * (m - k) / (k * (m - 1))
    return refer(statistic, k, m - k)


def _invert(covariance: np.ndarray, where: str) -> np.ndarray:
    """Invert a covariance matrix, whatever the units of the terms, or say that terms depend."""
    scale = np.sqrt(np.diag(covariance))
    correlations = covariance / np.outer(scale, scale) if (scale > 0).all() else covariance
    if not (scale > 0).all() or np.linalg.cond(correlations) > LARGEST_CONDITION:
        raise PoolingError(
            f"the terms tested depend on each other, or one does not vary {where} sets: name fewer "
            "terms; of proportions that add up to 1 leave one out"
        )
    return np.asarray(np.linalg.inv(correlations) / np.outer(scale, scale))


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
    return refer(statistic, k, df2)
