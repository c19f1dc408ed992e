"""Which rule pools which fits, and whether it can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth_tasks.errors import PoolingError
from synth_tasks.inference.choice import Origin, choose_rule
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.rules import RULES


@dataclass(frozen=True)
class Settled:
    """What is settled before fits are pooled.

    Parameters
    ----------
    rule, why : str
        The rule, and why it holds where that was checked.
    r : int
        Sets that belong to one imputation: 1 for all rules but that for nested sets.
    size_ratio : float
        Rows of a set divided by rows of the real sample, k/n.
    """

    rule: str
    why: str
    r: int
    size_ratio: float


def settle(
    fits: Sequence[ModelFit], rule: str, r: int, n: int | None, origin: Origin | None
) -> Settled:
    """Choose or check the rule and check the fits; see `synth_tasks.inference.pool`."""
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
    _check_fits(fits, rule)
    return Settled(rule, why, _check_nests(len(fits), rule, r), _size_ratio(fits, n))


def _size_ratio(fits: Sequence[ModelFit], n: int | None) -> float:
    """Return k/n; 1 if the sets have as many rows as the sample."""
    if n is None:
        return 1.0
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise PoolingError("n must be the number of rows of the real sample, 1 or more")
    return fits[0].n / n


def _check_nests(n_sets: int, rule: str, r: int) -> int:
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
