"""What pooling returns: a table of estimates, and the tables and pictures made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special, stats

from synth_tasks.errors import ModelError
from synth_tasks.inference.fit import ModelFit, Scale, report_estimates
from synth_tasks.inference.rules import Components, Reference, ratio
from synth_tasks.inference.writing import write_latex, write_markdown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (
    "term", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high",
    "ubar", "b", "t", "r", "lambda", "fmi",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Spread:
    """The mean estimates of k terms and their covariances.

    Parameters
    ----------
    estimates : ndarray of shape (k,)
        Means over all sets.
    ubar : ndarray of shape (k, k)
        Mean covariance within sets.
    b : ndarray of shape (k, k)
        Covariance of the estimates between sets, or between the means of imputations.
    m, r : int
        Sets, or imputations and syntheses of each.
    within : ndarray of shape (k, k), optional
        Mean covariance of the estimates within an imputation, where there are two stages.
    size_ratio : float
        Rows of a set divided by rows of the real sample.
    """

    estimates: np.ndarray
    ubar: np.ndarray
    b: np.ndarray
    m: int
    r: int
    within: np.ndarray | None
    size_ratio: float


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

        For correlations and Cramér's V ``estimate``, ``conf_low`` and ``conf_high`` are what they are
        called; ``std_error``, ``statistic`` and the variances belong to Fisher's z =
        atanh(correlation).
        For variances they belong to the logarithm, so that the hypothesis is a variance of 1.
    rule : str
        Name of the rule in `RULES`.
    m : int
        Number of sets.
    model, label : str
        What was fitted.
    confidence : float
        Level of the intervals.
    spread : Spread
        Covariances within and between sets, for tests of several terms.
    why : str
        Why this rule holds, where it was chosen or checked by the origin of the sets.
    scale : {"identity", "fisher_z", "log"}
        On which scale estimates were pooled; see `ModelFit`.
    unconverged : mapping of int to str
        Numbers of the fits (from 1) that did not converge, with the reason.
    """

    table: pd.DataFrame
    rule: str
    m: int
    model: str
    label: str
    confidence: float
    spread: Spread
    why: str = ""
    scale: Scale = "identity"
    unconverged: Mapping[int, str] = field(default_factory=dict)

    def to_markdown(self, digits: int = 3) -> str:
        """Return a table for a report: term, estimate, standard error, df, p and interval.

        Parameters
        ----------
        digits : int, default 3
            Decimals of estimates.

        Returns
        -------
        str
        """
        return write_markdown(self.table, self.confidence, digits)

    def to_latex(self, digits: int = 3) -> str:
        """Return the same table as a ``tabular`` for LaTeX with the package booktabs.

        Parameters
        ----------
        digits : int, default 3
            Decimals of estimates.

        Returns
        -------
        str
            Names of terms are escaped.
        """
        return write_latex(self.table, self.confidence, digits)

    def plot(
        self,
        others: Mapping[str, PooledEstimates] | None = None,
        name: str = "pooled",
        terms: Sequence[str] | None = None,
    ) -> Figure:
        """Draw estimates with their intervals; see `synth_tasks.inference.forest.forest_plot`.

        Parameters
        ----------
        others : mapping of str to PooledEstimates, optional
            Further results to draw side by side, under their names.
        name : str, default "pooled"
            Name of this result, beside others.
        terms : sequence of str, optional
            Which terms; all if not given.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from synth_tasks.inference.forest import forest_plot

        return forest_plot({name: self, **(others or {})}, terms)


def tabulate(
    fit: ModelFit, estimate: np.ndarray, c: Components, ref: Reference, confidence: float
) -> pd.DataFrame:
    """Make the table of `PooledEstimates` of what a rule returned."""
    reported, std_error, low, high = limits(fit, estimate, ref, confidence).T
    statistic = ratio(estimate, std_error, when_both_zero=0.0)
    columns = (
        fit.terms,
        reported,
        std_error,
        statistic,
        ref.df,
        2.0 * stats.t.sf(np.abs(statistic), ref.df),
        low,
        high,
        c.ubar,
        c.b,
        ref.t,
        ratio(ref.added, c.ubar, when_both_zero=0.0),
        ratio(ref.added, ref.t, when_both_zero=0.0),
        ref.fmi,
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def limits(fit: ModelFit, estimate: np.ndarray, ref: Reference, confidence: float) -> np.ndarray:
    """Return estimates and intervals without a table, which takes longer than a small fit.

    Returns
    -------
    ndarray of shape (k, 4)
        Estimate, standard error, and the ends of the interval; correlations and variances as they are
        reported, but for their standard errors.
    """
    std_error = np.sqrt(ref.t)
    normal = np.isinf(ref.df)
    tail = (1.0 + confidence) / 2.0
    # The quantiles of scipy.stats, without its checks.
    quantile = np.where(
        normal, special.ndtri(tail), special.stdtrit(np.where(normal, 1, ref.df), tail)
    )
    half_width = std_error * quantile
    ends = (estimate, estimate - half_width, estimate + half_width)
    reported, low, high = (report_estimates(values, fit.scale) for values in ends)
    return np.column_stack([reported, std_error, low, high])


def limits_of(fit: ModelFit, confidence: float = 0.95) -> np.ndarray:
    """Return estimates and intervals of a single fit; see `limits` and `summarize`."""
    return limits(fit, fit.estimates, _alone(fit)[1], confidence)


def _alone(fit: ModelFit) -> tuple[Components, Reference]:
    """Return what a rule would of a fit that is not pooled."""
    if not fit.converged:
        raise ModelError(fit.message)
    u = np.diag(fit.covariance)
    nothing = np.zeros_like(u)
    components = Components(ubar=u, b=nothing, m=1, df_complete=fit.df_residual)
    return components, Reference(
        t=u, df=np.full_like(u, fit.df_residual), added=nothing, fmi=nothing
    )


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

    Raises
    ------
    ModelError
        If the fit did not converge.
    """
    components, reference = _alone(fit)
    return tabulate(fit, fit.estimates, components, reference, confidence)[list(COLUMNS[:8])]
