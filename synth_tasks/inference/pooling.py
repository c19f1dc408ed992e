"""Pooling of estimates from several imputed or synthetic data sets.

A rule says what the total variance is and to what distribution estimates refer; see
`synth_tasks.inference.rules`.

The rules hold for estimates that are nearly normal; correlations are pooled on Fisher's z scale,
variances as logarithms.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from synth_tasks.errors import ConvergenceWarning, PoolingError
from synth_tasks.inference.choice import Origin
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.pooled import PooledEstimates, Spread, limits, tabulate
from synth_tasks.inference.rules import RULES, Components, Reference
from synth_tasks.inference.settle import Settled, settle

Unconverged = Literal["refuse", "leave_out", "keep"]


def pool(
    fits: Sequence[ModelFit],
    rule: str = "reiter2003",
    confidence: float = 0.95,
    r: int = 1,
    n: int | None = None,
    origin: Origin | None = None,
    unconverged: Unconverged = "refuse",
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
    unconverged : {"refuse", "leave_out", "keep"}, default "refuse"
        What becomes of fits that did not converge. "leave_out" pools the others and "keep" pools all,
        with a `ConvergenceWarning`; the result lists them either way. Sets whose fits fail differ from
        the others, so that both bend the estimates: simplify the model rather.

    Returns
    -------
    PooledEstimates

    Raises
    ------
    PoolingError
        If the rule is unknown or does not hold, there are too few fits, they are not of one model, or
        some did not converge and are to be refused.
    """
    if not 0 < confidence < 1:
        raise PoolingError(f"confidence must lie between 0 and 1, not be {confidence}: use 0.95")
    failed = {i: fit.message for i, fit in enumerate(fits, start=1) if not fit.converged}
    if unconverged not in get_args(Unconverged):
        raise PoolingError(f"unconverged must be one of {', '.join(get_args(Unconverged))}")
    if failed:
        fits = _without_failures(fits, failed, rule, origin, unconverged)
    settled = settle(fits, rule, r, n, origin)
    spread, components, reference = _apply(fits, settled)
    first = fits[0]
    return PooledEstimates(
        table=tabulate(first, spread.estimates, components, reference, confidence),
        rule=settled.rule,
        m=len(fits),
        model=first.model,
        label=first.label,
        confidence=confidence,
        spread=spread,
        why=settled.why,
        scale=first.scale,
        unconverged=failed,
    )


def pool_limits(
    fits: Sequence[ModelFit], rule: str, n: int | None = None, confidence: float = 0.95
) -> np.ndarray:
    """Pool and return estimates and intervals only, for simulations; see `pool` and `limits`.

    Parameters
    ----------
    fits, rule, n, confidence
        See `pool`; fits that did not converge are refused.

    Returns
    -------
    ndarray of shape (k, 4)
        Estimate, standard error, and the ends of the interval.
    """
    failed = {i: fit.message for i, fit in enumerate(fits, start=1) if not fit.converged}
    if failed:
        _without_failures(fits, failed, rule, None, "refuse")
    spread, _, reference = _apply(fits, settle(fits, rule, 1, n, None))
    return limits(fits[0], spread.estimates, reference, confidence)


def _apply(fits: Sequence[ModelFit], settled: Settled) -> tuple[Spread, Components, Reference]:
    """Apply a rule that holds to fits that converged."""
    spread = _spread(fits, settled.r, settled.size_ratio, RULES[settled.rule].uses_sample_size)
    components = Components(
        ubar=np.diag(spread.ubar),
        b=np.diag(spread.b),
        m=spread.m,
        df_complete=min(fit.df_residual for fit in fits),
        r=settled.r,
        within=None if spread.within is None else np.diag(spread.within),
        size_ratio=spread.size_ratio,
    )
    return spread, components, RULES[settled.rule].pool(components)


def _without_failures(
    fits: Sequence[ModelFit],
    failed: dict[int, str],
    rule: str,
    origin: Origin | None,
    unconverged: Unconverged,
) -> Sequence[ModelFit]:
    """Return the fits that are pooled, or refuse."""
    numbers = ", ".join(str(number) for number in failed)
    told = f"{len(failed)} of {len(fits)} fits did not converge ({numbers}): {failed[min(failed)]}"
    if unconverged == "refuse":
        raise PoolingError(
            f"{told}; or ask for unconverged='leave_out' to pool the others, which bends the estimates"
        )
    nested = rule == "reiter2004" or (rule == "auto" and origin is not None and origin.r > 1)
    if unconverged == "leave_out" and nested:
        raise PoolingError(
            f"{told}; nested sets are pooled by imputation, so that none can be left out"
        )
    what = "left out" if unconverged == "leave_out" else "pooled all the same"
    warnings.warn(f"{told}; they are {what}", ConvergenceWarning, stacklevel=3)
    return fits if unconverged == "keep" else [fit for fit in fits if fit.converged]


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
