"""Pooling of estimates from several imputed or synthetic data sets.

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

The rules hold for estimates that are nearly normal; correlations are pooled on Fisher's z scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from synth_tasks.errors import PoolingError
from synth_tasks.inference.models import ModelFit, Scale

COLUMNS = (
    "term", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high",
    "ubar", "b", "t", "r", "lambda", "fmi",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class PooledEstimates:
    """Pooled estimates of one model.

    Parameters
    ----------
    table : DataFrame with k rows
        One row a term:

        - ``term``, ``estimate``, ``std_error`` = sqrt(t), ``statistic`` = estimate / std_error,
          ``df``, ``p_value`` (two-sided, against zero), ``conf_low``, ``conf_high``;
        - ``ubar`` and ``b``, the variance within and between sets, and ``t``, the total variance;
        - ``r``, the variance added by the synthesis or by the missing values relative to ``ubar``,
          and ``lambda``, its share of ``t``;
        - ``fmi``, the fraction of missing information, which is defined for imputed data only and
          NaN under ``reiter2003``.

        For correlations ``estimate``, ``conf_low`` and ``conf_high`` are correlations;
        ``std_error``, ``statistic`` and the variances belong to Fisher's z = atanh(correlation).
    rule : str
        Name of the rule in `RULES`.
    m : int
        Number of sets.
    model, label : str
        What was fitted.
    confidence : float
        Level of the intervals.
    """

    table: pd.DataFrame
    rule: str
    m: int
    model: str
    label: str
    confidence: float

    def to_markdown(self, digits: int = 3) -> str:
        """Return a table for a report: term, estimate, standard error, df, p and interval."""
        interval = f"{100 * self.confidence:.4g} % interval"
        head = ["term", "estimate", "std. error", "df", "p", interval]
        lines = [_markdown_row(head), _markdown_row(["---", *["---:"] * (len(head) - 1)])]
        for row in self.table.to_dict("records"):
            p = row["p_value"]
            cells = [
                str(row["term"]).replace("|", "\\|"),
                f"{row['estimate']:.{digits}f}",
                f"{row['std_error']:.{digits}f}",
                "∞" if np.isinf(row["df"]) else f"{row['df']:.1f}",
                "<.001" if p < 0.001 else f"{p:.3f}".lstrip("0"),
                f"[{row['conf_low']:.{digits}f}, {row['conf_high']:.{digits}f}]",
            ]
            lines.append(_markdown_row(cells))
        return "\n".join(lines)


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
    """

    ubar: np.ndarray
    b: np.ndarray
    m: int
    df_complete: float
    r: int = 1
    within: np.ndarray | None = None


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


def pool(
    fits: Sequence[ModelFit],
    rule: str = "reiter2003",
    confidence: float = 0.95,
    r: int = 1,
    n: int | None = None,
) -> PooledEstimates:
    """Pool the fits of one model to m data sets.

    Parameters
    ----------
    fits : sequence of ModelFit, length m
        One a set, with the same terms in the same order; m is at least 2.
    rule : {"reiter2003", "rubin1987", "reiter2004"}
        ``reiter2003`` for synthetic sets, ``rubin1987`` for imputed sets, ``reiter2004`` for syntheses
        of imputed sets.
    confidence : float
        Level of the intervals, between 0 and 1.
    r : int, default 1
        For ``reiter2004``: syntheses of each imputation, which stand together in `fits`.
    n : int, optional
        Rows of the real sample, where synthetic sets have another number of rows, k: the variances
        within sets are then multiplied by k/n, for the models know no more than the sample
        (Raab, Nowok & Dibben 2016).

    Returns
    -------
    PooledEstimates

    Raises
    ------
    PoolingError
        If the rule is unknown, there are fewer than two fits, or the fits are not of one model.
    """
    if rule not in RULES:
        raise PoolingError(f"unknown pooling rule '{rule}': use one of {', '.join(RULES)}")
    if not 0 < confidence < 1:
        raise PoolingError(f"confidence must lie between 0 and 1, not be {confidence}: use 0.95")
    _check_fits(fits, rule)
    r = _check_nests(len(fits), rule, r)
    estimates = np.array([fit.estimates for fit in fits])
    estimate = estimates.mean(axis=0)
    nests = estimates.reshape(-1, r, estimates.shape[1])
    components = Components(
        ubar=np.array([np.diag(fit.covariance) for fit in fits]).mean(axis=0)
        * _size_ratio(fits, n),
        b=nests.mean(axis=1).var(axis=0, ddof=1),
        m=len(nests),
        df_complete=min(fit.df_residual for fit in fits),
        r=r,
        within=nests.var(axis=1, ddof=1).mean(axis=0) if r > 1 else None,
    )
    table = _tabulate(fits[0], estimate, components, RULES[rule](components), confidence)
    return PooledEstimates(table, rule, len(fits), fits[0].model, fits[0].label, confidence)


def summarize(fit: ModelFit, confidence: float = 0.95) -> pd.DataFrame:
    """Tabulate the fit to a single data set, without pooling.

    Parameters
    ----------
    fit : ModelFit
        The fit, e.g. to the real data.
    confidence : float
        Level of the intervals, between 0 and 1.

    Returns
    -------
    DataFrame with k rows
        Columns term, estimate, std_error, statistic, df, p_value, conf_low, conf_high, as in
        `PooledEstimates`.
    """
    u = np.diag(fit.covariance)
    nothing = np.zeros_like(u)
    components = Components(ubar=u, b=nothing, m=1, df_complete=fit.df_residual)
    reference = Reference(t=u, df=np.full_like(u, fit.df_residual), added=nothing, fmi=nothing)
    return _tabulate(fit, fit.estimates, components, reference, confidence)[list(COLUMNS[:8])]


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
        df = (c.m - 1) * (1.0 + _ratio(c.ubar, added, when_both_zero=np.inf)) ** 2
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
    share = _ratio(added, t, when_both_zero=0.0)
    v = c.df_complete
    if np.isinf(v):
        df = _ratio(np.full_like(share, c.m - 1.0), share**2, when_both_zero=np.inf)
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
    (m - 1) (1 + m ubar / ((m + 1) b))² degrees of freedom.

    References
    ----------
    Reiter (2004). Simultaneous use of multiple imputation for missing data and disclosure limitation.
    Survey Methodology 30, 235-242.
    Reiter (2008). Selecting the number of imputed datasets when using multiple imputation for missing
    data and disclosure limitation. Statistics and Probability Letters 78, 15-20.
    """
    assert c.within is not None  # noqa: S101  (`pool` refuses sets that are not nested)
    between, within = (1.0 + 1.0 / c.m) * c.b, c.within / c.r
    t = between - within + c.ubar
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        df = 1.0 / (between**2 / ((c.m - 1) * t**2) + within**2 / (c.m * (c.r - 1) * t**2))
        adjusted_df = (c.m - 1) * (1.0 + _ratio(c.ubar, between, when_both_zero=np.inf)) ** 2
    negative = t <= 0
    t = np.where(negative, between + c.ubar, t)
    df = np.where(negative, adjusted_df, df)
    return Reference(t=t, df=df, added=t - c.ubar, fmi=np.full_like(t, np.nan))


RULES: dict[str, Callable[[Components], Reference]] = {
    "reiter2003": pool_reiter_2003,
    "rubin1987": pool_rubin_1987,
    "reiter2004": pool_reiter_2004,
}


def _size_ratio(fits: Sequence[ModelFit], n: int | None) -> float:
    """Return k/n; 1 if the sets have as many rows as the sample."""
    if n is None:
        return 1.0
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise PoolingError("n must be the number of rows of the real sample, 1 or more")
    return fits[0].n / n


def _check_nests(n_sets: int, rule: str, r: int) -> int:
    """Return how many sets belong to one imputation: 1 for all rules but that for nested sets."""
    if rule != "reiter2004":
        return 1
    if isinstance(r, bool) or not isinstance(r, int) or r < 2 or n_sets % r or n_sets // r < 2:
        raise PoolingError(
            f"the rule reiter2004 needs r syntheses (2 or more) of each of 2 or more imputations; "
            f"{n_sets} sets with r = {r} are not: set r (synthesis.m) and imputation.m"
        )
    return r


def _check_fits(fits: Sequence[ModelFit], rule: str) -> None:
    if len(fits) < 2:
        raise PoolingError(
            f"the rule {rule} needs the fits of at least 2 data sets, not {len(fits)}: "
            "raise m (synthesis.m or imputation.m)"
        )
    first = fits[0]
    for number, fit in enumerate(fits[1:], start=2):
        if (fit.model, fit.label, fit.scale) != (first.model, first.label, first.scale):
            raise PoolingError(
                f"fit {number} is of the model {fit.model} ({fit.label}), fit 1 of {first.model} "
                f"({first.label}): pool fits of one model"
            )
        if fit.terms != first.terms:
            differing = sorted(set(fit.terms) ^ set(first.terms)) or ["their order"]
            raise PoolingError(
                f"fit {number} and fit 1 have different terms (first difference: {differing[0]}): "
                "give every set the same categories and leave terms out that a set cannot estimate"
            )
    for number, fit in enumerate(fits, start=1):
        if not (np.isfinite(fit.estimates).all() and np.isfinite(np.diag(fit.covariance)).all()):
            raise PoolingError(
                f"fit {number} of {fit.label} has estimates or variances that are not finite: "
                "leave it out or simplify the model"
            )


def _tabulate(
    fit: ModelFit, estimate: np.ndarray, c: Components, ref: Reference, confidence: float
) -> pd.DataFrame:
    std_error = np.sqrt(ref.t)
    statistic = _ratio(estimate, std_error, when_both_zero=0.0)
    half_width = std_error * stats.t.ppf((1.0 + confidence) / 2.0, ref.df)
    columns = (
        fit.terms,
        _report(estimate, fit.scale),
        std_error,
        statistic,
        ref.df,
        2.0 * stats.t.sf(np.abs(statistic), ref.df),
        _report(estimate - half_width, fit.scale),
        _report(estimate + half_width, fit.scale),
        c.ubar,
        c.b,
        ref.t,
        _ratio(ref.added, c.ubar, when_both_zero=0.0),
        _ratio(ref.added, ref.t, when_both_zero=0.0),
        ref.fmi,
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _report(values: np.ndarray, scale: Scale) -> np.ndarray:
    return np.tanh(values) if scale == "fisher_z" else values


def _ratio(numerator: np.ndarray, denominator: np.ndarray, when_both_zero: float) -> np.ndarray:
    """Divide; x / 0 is infinite with the sign of x, 0 / 0 is what the caller says."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quotient = numerator / denominator
    return np.where((numerator == 0) & (denominator == 0), when_both_zero, quotient)


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
