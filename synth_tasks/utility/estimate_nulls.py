"""What a comparison of real and synthetic estimates gives if the synthesis is right.

Given the real data, with estimate Q and variance V, the mean of the estimates of m synthetic sets is
normal around Q with the variance tau² V, where

    tau² = (n / k) / m          parameters as estimated (plug-in)
    tau² = (n / k + 1) / m      parameters drawn anew for every set (proper)

for complete syntheses of k rows from n. If only some cells were synthesised tau² is less; the variance
between the sets tells it: tau² = b / (m V). The variance between sets, m tau² V, is estimated with
m - 1 degrees of freedom, and a pooling rule makes the width of the synthetic interval of it.

References
----------
Raab, Nowok & Dibben (2016). Practical data synthesis for large samples. Journal of Privacy and
Confidentiality 7(3), 67-97.
Raab, Nowok & Dibben (2021). Assessing, visualizing and improving the utility of synthetic data.
arXiv:2109.12717.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from synth_tasks.errors import PoolingError
from synth_tasks.inference.rules import RULES, Components
from synth_tasks.utility.estimates import Estimates
from synth_tasks.utility.intervals import CONFIDENCE

# Quantiles that stand for the distribution of the variance between sets.
NODES = 400


@dataclass(frozen=True)
class HowMade:
    """How synthetic sets were made and pooled.

    Parameters
    ----------
    m : int, default 1
        Number of sets.
    rule : str, optional
        Pooling rule in `synth_tasks.inference.rules`; None for a single set whose own standard errors
        are used.
    proper : bool, default False
        Whether parameters were drawn anew for every set.
    complete : bool, default True
        Whether every cell was replaced.
    size_ratio : float, default 1
        Rows of a set divided by rows of the real table, k / n.
    """

    m: int = 1
    rule: str | None = None
    proper: bool = False
    complete: bool = True
    size_ratio: float = 1.0

    def __post_init__(self) -> None:
        if self.m < 1 or self.size_ratio <= 0:
            raise PoolingError("m must be 1 or more, and size_ratio (k / n) greater than 0")
        if self.rule is None:
            if self.m > 1:
                raise PoolingError(f"{self.m} sets need a pooling rule: name one in rule")
        elif self.rule not in RULES:
            raise PoolingError(f"unknown pooling rule '{self.rule}': use one of {', '.join(RULES)}")
        elif self.m < RULES[self.rule].least_sets:
            raise PoolingError(
                f"the rule {self.rule} needs {RULES[self.rule].least_sets} sets or more: raise m"
            )
        if self.rule == "reiter2004":
            raise PoolingError(
                "no null is known for nested sets (reiter2004): compare the sets of one imputation"
            )

    @property
    def tau2(self) -> float:
        """Variance of the mean estimate given the real data, relative to the real variance."""
        return (1 / self.size_ratio + self.proper) / self.m

    def tau2_by_term(self, real: Estimates, synthetic: Estimates) -> np.ndarray:
        """Return tau² of each term, an array of shape (p,)."""
        if self.complete:
            return np.full(len(real.terms), self.tau2)
        if synthetic.between is None:
            raise PoolingError(
                "a partial synthesis is judged by the variance between sets: pool two sets or more"
            )
        return np.diag(synthetic.between) / (self.m * real.std_errors**2)

    def half_widths(self, tau2: float, df: float, confidence: float) -> np.ndarray:
        """Return half of the possible widths of the synthetic interval, all equally probable.

        Parameters
        ----------
        tau2 : float
            See the top of the module.
        df : float
            Degrees of freedom of the complete data.
        confidence : float
            Level of the interval.

        Returns
        -------
        ndarray of shape (n_nodes,)
            In units of the real standard error.
        """
        within = 1 / self.size_ratio
        if self.rule is None:
            return np.array([np.sqrt(within) * stats.t.ppf(0.5 + confidence / 2, df)])
        rule = RULES[self.rule]
        ubar = np.full(NODES, 1.0 if rule.uses_sample_size else within)
        reference = rule.pool(
            Components(
                ubar=ubar,
                b=self.m * tau2 * _chi_square_means(self.m - 1),
                m=self.m,
                df_complete=df,
                size_ratio=self.size_ratio,
            )
        )
        return np.sqrt(reference.t) * stats.t.ppf(0.5 + confidence / 2, reference.df)


def _chi_square_means(df: int) -> np.ndarray:
    """Return quantiles of a chi-square variable divided by its df; zeros without any."""
    if df < 1:
        return np.zeros(NODES)
    return stats.chi2.ppf((np.arange(NODES) + 0.5) / NODES, df) / df


def expected_overlap(
    how: HowMade,
    *,
    tau2: float | None = None,
    df: float = np.inf,
    confidence: float = CONFIDENCE,
) -> float:
    """Compute the expected overlap of a synthetic with the real interval.

    With half-widths v and w, in units of the real standard error, and d the distance of the estimates,
    normal with variance tau², the common part is min(2v, 2w, v + w - |d|), whose expectation is

        min(2v, 2w) - 2 (tau phi(a / tau) - a (1 - Phi(a / tau)))        a = |v - w|

    Parameters
    ----------
    how : HowMade
        How the sets were made and pooled.
    tau2 : float, optional
        See the top of the module; as `how` tells if not given.
    df : float, default infinite
        Degrees of freedom of the real estimate.
    confidence : float, default 0.95
        Level of the intervals.

    Returns
    -------
    float
        For one plug-in set 0.797, one proper set 0.712, five proper sets pooled 0.870.
    """
    variance = how.tau2 if tau2 is None else tau2
    half = float(stats.t.ppf(0.5 + confidence / 2, df))
    others = how.half_widths(variance, df, confidence)
    apart = np.abs(others - half)
    tau = np.sqrt(max(variance, np.finfo(float).tiny))
    beyond = 2 * (tau * stats.norm.pdf(apart / tau) - apart * stats.norm.sf(apart / tau))
    common = 2 * np.minimum(others, half) - beyond
    return float(np.mean(common / (2 * half) + common / (2 * others)) / 2)


def expected_sign_agreement(z: np.ndarray, tau2: np.ndarray) -> np.ndarray:
    """Return the probability that real and synthetic estimate have one sign, Phi(|z| / tau).

    Parameters
    ----------
    z : ndarray of shape (p,)
        Real estimates in units of their standard errors.
    tau2 : ndarray of shape (p,)
        See the top of the module.
    """
    tau = np.sqrt(np.maximum(tau2, np.finfo(float).tiny))
    return stats.norm.cdf(np.abs(z) / tau)


def expected_significance(
    how: HowMade, z: float, tau2: float, df: float, confidence: float = CONFIDENCE
) -> float:
    """Compute the probability that the synthetic interval does not hold zero.

    Parameters
    ----------
    how : HowMade
        How the sets were made and pooled.
    z : float
        Real estimate in units of its standard error.
    tau2 : float
        See the top of the module.
    df : float
        Degrees of freedom of the real estimate.
    confidence : float, default 0.95
        Level of the interval.
    """
    half = how.half_widths(tau2, df, confidence)
    tau = np.sqrt(max(tau2, np.finfo(float).tiny))
    below, above = stats.norm.cdf((-half - z) / tau), stats.norm.sf((half - z) / tau)
    return float(np.mean(below + above))
