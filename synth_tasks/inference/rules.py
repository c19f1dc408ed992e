"""Rules that make a total variance and a reference distribution of what sets of estimates tell.

From the estimates q_l and variances u_l of m sets follow, term by term::

    qbar = mean of q_l      ubar = mean of u_l      b = sum (q_l - qbar)² / (m - 1)

A rule says how ubar and b make up the total variance T and which t distribution refers
(qbar - Q) / sqrt(T). Which rule holds depends on how the sets were made:

``reiter2003``
    Synthetic sets drawn from models fitted to the real sample, in part or completely.
``rubin1987``
    Imputed sets: missing values were filled in, observed values are real.
``reiter2004``
    Nested sets: incomplete data were imputed m times, and each completed version synthesised r times.
``rrr2003``
    Fully synthetic sets, each a new sample of rows with parameters drawn anew; m must be large.
``raab2016``, ``raab2016_proper``
    Complete syntheses without or with drawn parameters, also a single one; large samples.
``population_imputed``, ``population_synthetic``
    The data are all there is to know: nothing is inferred beyond them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from synth_tasks.inference.wording import WORDINGS, Wording


@dataclass(frozen=True, eq=False)
class Components:
    """What every rule starts from; arrays of shape (k,).

    Parameters
    ----------
    ubar : ndarray
        Mean of the variances within sets.
    b : ndarray
        Variance of the estimates between sets.
    m : int
        Number of sets.
    df_complete : float
        Degrees of freedom that the complete data would have.
    r : int
        Sets of each of the m imputations, where there are two stages.
    within : ndarray, optional
        Mean variance of the estimates within an imputation, where there are two stages; `b` is then the
        variance of the means of imputations.
    size_ratio : float
        Rows of a set divided by rows of the real sample, k/n.
    """

    ubar: np.ndarray
    b: np.ndarray
    m: int
    df_complete: float
    r: int = 1
    within: np.ndarray | None = None
    size_ratio: float = 1.0


@dataclass(frozen=True, eq=False)
class Reference:
    """What a rule returns; arrays of shape (k,).

    Parameters
    ----------
    t : ndarray
        Total variance.
    df : ndarray
        Degrees of freedom of the t distribution.
    added : ndarray
        Part of `t` that is due to synthesis or missing values.
    fmi : ndarray
        Fraction of missing information; NaN where the rule does not define it.
    """

    t: np.ndarray
    df: np.ndarray
    added: np.ndarray
    fmi: np.ndarray


def ratio(numerator: np.ndarray, denominator: np.ndarray, when_both_zero: float) -> np.ndarray:
    """Divide; x / 0 is infinite with the sign of x, 0 / 0 is what the caller says."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quotient = numerator / denominator
    return np.where((numerator == 0) & (denominator == 0), when_both_zero, quotient)


def pool_reiter_2003(c: Components) -> Reference:
    """Pool synthetic sets: T = ubar + b / m, df = (m - 1) (1 + ubar / (b / m))².

    Holds for partial synthesis and for complete synthesis from models fitted to the sample, also
    when the parameters of the models are not drawn from their posterior (Reiter & Kinney 2012). It
    does not hold for real values in which missing ones were imputed.

    References
    ----------
    Reiter (2003). Inference for partially synthetic, public use microdata sets. Survey Methodology
    29, 181-188.
    Reiter & Kinney (2012). Inferentially valid, partially synthetic data: generating from posterior
    predictive distributions not necessary. Journal of Official Statistics 28, 583-590.
    """
    added = c.b / c.m
    with np.errstate(over="ignore"):
        df = (c.m - 1) * (1.0 + ratio(c.ubar, added, when_both_zero=np.inf)) ** 2
    return Reference(t=c.ubar + added, df=df, added=added, fmi=np.full_like(added, np.nan))


def pool_rubin_1987(c: Components) -> Reference:
    """Pool imputed sets: T = ubar + (1 + 1/m) b, with the degrees of freedom of Barnard & Rubin.

    With lambda = (1 + 1/m) b / T, A = (1 - lambda) (1 + v) v and v the complete-data degrees of
    freedom, df = (m - 1) A / ((v + 3) (m - 1) + lambda² A), which is stable for lambda near zero;
    for infinite v it is (m - 1) / lambda², and without variance within sets m - 1. The fraction of
    missing information is (r + 2 / (df + 3)) / (1 + r) with r = (1 + 1/m) b / ubar.

    References
    ----------
    Rubin (1987). Multiple Imputation for Nonresponse in Surveys. Wiley, section 3.1.
    Barnard & Rubin (1999). Small-sample degrees of freedom with multiple imputation. Biometrika 86,
    948-955.
    """
    added = (1.0 + 1.0 / c.m) * c.b
    t = c.ubar + added
    share = ratio(added, t, when_both_zero=0.0)
    v = c.df_complete
    if np.isinf(v):
        df = ratio(np.full_like(share, c.m - 1.0), share**2, when_both_zero=np.inf)
    else:
        a = (1.0 - share) * (1.0 + v) * v
        df = (c.m - 1) * a / ((v + 3.0) * (c.m - 1) + share**2 * a)
        # v says how well ubar is known; where there is no ubar only b is estimated.
        df = np.where(share < 1.0, df, c.m - 1.0)
    return Reference(t=t, df=df, added=added, fmi=share + (1.0 - share) * 2.0 / (df + 3.0))


def pool_reiter_2004(c: Components) -> Reference:
    """Pool nested sets: T = (1 + 1/m) b - within / r + ubar, where b is the variance of nest means.

    The degrees of freedom are 1 / { [(1 + 1/m) b]² / ((m - 1) T²) + (within / r)² / (m (r - 1) T²) }.
    Where T would not be positive, (1 + 1/m) b + ubar takes its place, with
    (m - 1) (1 + m ubar / ((m + 1) b))² degrees of freedom. Where the first formula gives fewer than
    m - 1 degrees of freedom it takes its place too, and has m - 1.

    Notes
    -----
    The first formula is Satterthwaite's, which is not to be trusted for a difference of nearly equal
    variances (Gaylor & Hopper 1969): where within / r takes nearly all of the rest away, T is positive
    by chance, and with far less than one degree of freedom an interval has no end. A sum has no fewer
    degrees of freedom than (1 + 1/m) b alone, m - 1, so that the larger variance with these is
    cautious. In simulations tests keep their level: .034 with and without, where 5 imputations of a
    third of the information are synthesised twice, at nominal .05.

    References
    ----------
    Reiter (2004). Simultaneous use of multiple imputation for missing data and disclosure limitation.
    Survey Methodology 30, 235-242.
    Reiter (2008). Selecting the number of imputed datasets when using multiple imputation for missing
    data and disclosure limitation. Statistics and Probability Letters 78, 15-20.
    Gaylor & Hopper (1969). Estimating the degrees of freedom for linear combinations of mean squares by
    Satterthwaite's formula. Technometrics 11, 691-706.
    """
    assert c.within is not None  # noqa: S101  (`pool` refuses sets that are not nested)
    between, within = (1.0 + 1.0 / c.m) * c.b, c.within / c.r
    t = between - within + c.ubar
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        df = 1.0 / (between**2 / ((c.m - 1) * t**2) + within**2 / (c.m * (c.r - 1) * t**2))
        adjusted_df = (c.m - 1) * (1.0 + ratio(c.ubar, between, when_both_zero=np.inf)) ** 2
    negative = t <= 0
    by_chance = ~negative & (df < c.m - 1)
    t = np.where(negative | by_chance, between + c.ubar, t)
    df = np.where(negative, adjusted_df, np.where(by_chance, c.m - 1.0, df))
    return Reference(t=t, df=df, added=t - c.ubar, fmi=np.full_like(t, np.nan))


def pool_rrr_2003(c: Components) -> Reference:
    """Pool fully synthetic sets, each a new sample from a posterior: T = (1 + 1/m) b - ubar.

    The degrees of freedom are (m - 1) (1 - ubar / ((1 + 1/m) b))². Where T is not positive, (k/n) ubar
    takes its place (Reiter 2002). With few sets T is often near zero or negative and intervals are
    far too wide: in simulations with 5 or 10 sets hardly any test rejects, so use 50 sets or more, or
    another rule.

    References
    ----------
    Raghunathan, Reiter & Rubin (2003). Multiple imputation for statistical disclosure limitation.
    Journal of Official Statistics 19, 1-16.
    Reiter (2002). Satisfying disclosure restrictions with synthetic data sets. Journal of Official
    Statistics 18, 531-543.
    """
    between = (1.0 + 1.0 / c.m) * c.b
    t = between - c.ubar
    t = np.where(t > 0, t, c.size_ratio * c.ubar)
    with np.errstate(over="ignore"):
        df = (c.m - 1) * (1.0 - ratio(c.ubar, between, when_both_zero=np.inf)) ** 2
    return Reference(t=t, df=df, added=t - c.ubar, fmi=np.full_like(t, np.nan))


def pool_raab_2016(c: Components) -> Reference:
    """Pool complete syntheses without drawn parameters: T = ubar (1 + (n/k) / m) with ubar for n rows.

    Large-sample and therefore normal; the variance between sets is not used, so one set is enough.
    It holds only if every variable of the analysis was synthesised in every row.

    References
    ----------
    Raab, Nowok & Dibben (2016). Practical data synthesis for large samples. Journal of Privacy and
    Confidentiality 7(3), 67-97.
    """
    return _normal(c, 1.0 / (c.m * c.size_ratio))


def pool_raab_2016_proper(c: Components) -> Reference:
    """Pool complete syntheses with drawn parameters: T = ubar (1 + (n/k + 1) / m).

    See `pool_raab_2016`, also for the reference.
    """
    return _normal(c, (1.0 / c.size_ratio + 1.0) / c.m)


def _normal(c: Components, added: float) -> Reference:
    t = c.ubar * (1.0 + added)
    return Reference(t, np.full_like(t, np.inf), c.ubar * added, np.full_like(t, np.nan))


def pool_population_imputed(c: Components) -> Reference:
    """Pool imputed sets of a whole population: T = (1 + 1/m) b, with m - 1 degrees of freedom.

    References
    ----------
    Vink & van Buuren (2014). Pooling multiple imputations when the sample happens to be the population.
    arXiv:1409.8542.
    """
    t = (1.0 + 1.0 / c.m) * c.b
    return Reference(t, np.full_like(t, c.m - 1.0), t, np.ones_like(t))


def pool_population_synthetic(c: Components) -> Reference:
    """Pool synthetic sets of a whole population: T = b / m, with m - 1 degrees of freedom.

    The analogue of `pool_population_imputed`: the estimate of the population is known but for the
    noise of the synthesis, of which the mean of m sets has the variance b / m.
    """
    t = c.b / c.m
    return Reference(t, np.full_like(t, c.m - 1.0), t, np.full_like(t, np.nan))


@dataclass(frozen=True)
class Rule:
    """A pooling rule.

    Parameters
    ----------
    pool : callable
        Takes `Components`, returns a `Reference`.
    wording : Wording
        How it is explained.
    least_sets : int
        Number of sets it needs.
    uses_sample_size : bool
        Whether variances within sets are to be those of a sample of n rows: multiplied by k/n.
    """

    pool: Callable[[Components], Reference]
    wording: Wording
    least_sets: int = 2
    uses_sample_size: bool = True


RULES = {
    "reiter2003": Rule(pool_reiter_2003, WORDINGS["reiter2003"]),
    "rubin1987": Rule(pool_rubin_1987, WORDINGS["rubin1987"]),
    "reiter2004": Rule(pool_reiter_2004, WORDINGS["reiter2004"]),
    "rrr2003": Rule(pool_rrr_2003, WORDINGS["rrr2003"], uses_sample_size=False),
    "raab2016": Rule(pool_raab_2016, WORDINGS["raab2016"], least_sets=1),
    "raab2016_proper": Rule(pool_raab_2016_proper, WORDINGS["raab2016_proper"], least_sets=1),
    "population_imputed": Rule(
        pool_population_imputed, WORDINGS["population_imputed"], uses_sample_size=False
    ),
    "population_synthetic": Rule(
        pool_population_synthetic, WORDINGS["population_synthetic"], uses_sample_size=False
    ),
}
