"""Pooling of estimates from several imputed or synthetic data sets.

A rule says what the total variance is and to what distribution estimates refer; see
`synth_tasks.inference.rules`.

The rules hold for estimates that are nearly normal; correlations are pooled on Fisher's z scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from synth_tasks.errors import PoolingError
from synth_tasks.inference.choice import Origin, choose_rule
from synth_tasks.inference.fit import ModelFit, Scale
from synth_tasks.inference.rules import RULES, Components, Reference, ratio

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
    spread : Spread
        Covariances within and between sets, for tests of several terms.
    why : str
        Why this rule holds, where it was chosen or checked by the origin of the sets.
    """

    table: pd.DataFrame
    rule: str
    m: int
    model: str
    label: str
    confidence: float
    spread: Spread
    why: str = ""

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


def pool(
    fits: Sequence[ModelFit],
    rule: str = "reiter2003",
    confidence: float = 0.95,
    r: int = 1,
    n: int | None = None,
    origin: Origin | None = None,
) -> PooledEstimates:
    """Pool the fits of one model to m data sets.

    Parameters
    ----------
    fits : sequence of ModelFit, length m
        One a set, with the same terms in the same order; m is at least 2, but for the rules of Raab.
    rule : str, default "reiter2003"
        Name of a rule in `synth_tasks.inference.rules`, or "auto" to choose by `origin`. The default is
        for synthetic sets as this package makes them of complete data.
    confidence : float
        Level of the intervals, between 0 and 1.
    r : int, default 1
        For ``reiter2004``: syntheses of each imputation, which stand together in `fits`.
    n : int, optional
        Rows of the real sample, where synthetic sets have another number of rows, k: the variances
        within sets are then multiplied by k/n, for the models know no more than the sample
        (Raab, Nowok & Dibben 2016).
    origin : Origin, optional
        How the sets were made, such as the ``provenance`` of `MultiplyImputed`. It gives `r` and `n`,
        chooses the rule, or refuses one that does not hold.

    Returns
    -------
    PooledEstimates

    Raises
    ------
    PoolingError
        If the rule is unknown or does not hold, there are too few fits, or they are not of one model.
    """
    why = ""
    if origin is not None:
        rule, why = choose_rule(origin, rule)
        r = origin.r if rule == "reiter2004" else 1
        n = origin.n if origin.k != origin.n else None
    elif rule == "auto":
        raise PoolingError(
            "rule 'auto' needs to know how the sets were made: give origin (the provenance of a "
            f"MultiplyImputed), or name one of {', '.join(RULES)}"
        )
    if rule not in RULES:
        raise PoolingError(f"unknown pooling rule '{rule}': use one of {', '.join(RULES)}")
    if not 0 < confidence < 1:
        raise PoolingError(f"confidence must lie between 0 and 1, not be {confidence}: use 0.95")
    _check_fits(fits, rule)
    r = _check_nests(len(fits), rule, r)
    spread = _spread(fits, r, _size_ratio(fits, n), RULES[rule].uses_sample_size)
    components = Components(
        ubar=np.diag(spread.ubar),
        b=np.diag(spread.b),
        m=spread.m,
        df_complete=min(fit.df_residual for fit in fits),
        r=r,
        within=None if spread.within is None else np.diag(spread.within),
        size_ratio=spread.size_ratio,
    )
    table = _tabulate(
        fits[0], spread.estimates, components, RULES[rule].pool(components), confidence
    )
    return PooledEstimates(
        table, rule, len(fits), fits[0].model, fits[0].label, confidence, spread, why
    )


def _spread(fits: Sequence[ModelFit], r: int, size_ratio: float, uses_sample_size: bool) -> Spread:
    """Add up estimates and covariances of all sets."""
    estimates = np.array([fit.estimates for fit in fits])
    nests = estimates.reshape(-1, r, estimates.shape[1])
    ubar = np.array([fit.covariance for fit in fits]).mean(axis=0)
    within = None
    if r > 1:
        within = np.mean([_covariance(nest) for nest in nests], axis=0)
    return Spread(
        estimates=estimates.mean(axis=0),
        ubar=ubar * size_ratio if uses_sample_size else ubar,
        b=_covariance(nests.mean(axis=1)),
        m=len(nests),
        r=r,
        within=within,
        size_ratio=size_ratio,
    )


def _covariance(estimates: np.ndarray) -> np.ndarray:
    """Return the covariance of estimates, one set a row; zero for a single set."""
    deviations = estimates - estimates.mean(axis=0)
    return deviations.T @ deviations / max(1, len(estimates) - 1)


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
    least = RULES[rule].least_sets
    if len(fits) < least:
        raise PoolingError(
            f"the rule {rule} needs the fits of at least {least} data sets, not {len(fits)}: "
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
    statistic = ratio(estimate, std_error, when_both_zero=0.0)
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
        ratio(ref.added, c.ubar, when_both_zero=0.0),
        ratio(ref.added, ref.t, when_both_zero=0.0),
        ref.fmi,
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _report(values: np.ndarray, scale: Scale) -> np.ndarray:
    return np.tanh(values) if scale == "fisher_z" else values


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
