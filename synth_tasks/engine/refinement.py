"""What happens to values that were drawn from donors before they are released."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.parts import Parts
from synth_tasks.engine.plan import ImputationPlan
from synth_tasks.engine.registry import NUMBERS, Fitted, find_method
from synth_tasks.engine.smoothing import Smoother, make_smoother
from synth_tasks.engine.tails import TailSupport


@dataclass(frozen=True)
class Refined:
    """Draws of a donor method, smoothed, and with supported tails.

    Parameters
    ----------
    model : Fitted
        The donor method.
    smoother : Smoother or None
        Replaces each value by one nearby.
    tails : TailSupport or None
        Replaces the largest and smallest values, which belong to few people.
    """

    model: Fitted
    smoother: Smoother | None
    tails: TailSupport | None

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw, then refine."""
        values = np.asarray(self.model.draw(x, rng), dtype=float)
        if self.smoother is not None:
            values = self.smoother.smooth(values, rng)
        return values if self.tails is None else self.tails.apply(values)


def is_refined(plan: ImputationPlan, name: str) -> bool:
    """Whether the values of a variable are those of donors, and numbers."""
    return plan.schema[name].kind in NUMBERS and find_method(plan.methods[name]).donors


def refine(
    plan: ImputationPlan,
    name: str,
    model: Fitted,
    y: np.ndarray,
    observed: np.ndarray | None = None,
) -> Fitted:
    """Add what the plan asks for to a fitted method.

    Parameters
    ----------
    plan : ImputationPlan
        Says what is asked for.
    name : str
        The variable.
    model : Fitted
        The method.
    y : ndarray of shape (n,)
        The values it learnt from.
    observed : ndarray of shape (n_observed,), optional
        Those that persons gave, each of them once: copies of a value, by an imputation or in a
        bootstrap sample, must not make it look shared.

    Returns
    -------
    Fitted
    """
    if not is_refined(plan, name):
        return model
    if observed is not None:
        ordinary = Parts(plan.schema[name]).ordinary(observed)
        y = observed[ordinary] if ordinary.any() else y
    kind = plan.smoothing.get(name)
    smoother = make_smoother(kind, y) if kind else None
    tails = TailSupport.learn(y, plan.tail_support) if plan.tail_support > 1 else None
    return model if smoother is None and tails is None else Refined(model, smoother, tails)
