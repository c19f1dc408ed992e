"""Draws from the observed values of the same group: for a variable nested in another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.registry import Context, method
from synth_tasks.engine.tree import LeafDonors
from synth_tasks.errors import PlanError


@dataclass(frozen=True)
class NestedOptions:
    """Options of nested.

    Parameters
    ----------
    within : str, optional
        The categorical predictor that makes the groups; may be left out if there is but one predictor.
    """

    within: str | None = None


@dataclass(frozen=True)
class Nested:
    """Values sorted by group, and all of them for groups that have none."""

    column: int
    groups: LeafDonors
    everyone: np.ndarray

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a value of the row's group."""
        groups = x[:, self.column].astype(int)
        known = self.groups.size[groups] > 0
        drawn = self.everyone[rng.integers(len(self.everyone), size=len(x))]
        drawn[known] = self.groups.draw(groups[known], rng)
        return drawn


@method("nested", options=NestedOptions, donors=True)
def fit_nested(y: np.ndarray, x: np.ndarray, context: Context) -> Nested:
    """Sort the observed values by group.

    References
    ----------
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11).
    """
    names = [predictor.name for predictor in context.predictors]
    within = context.options.within or (names[0] if len(names) == 1 else None)
    if within not in names or not context.predictors[names.index(within)].is_categorical:
        raise PlanError(
            f"method 'nested' of '{context.target.name}': method_options.nested.within must name one "
            "of its categorical predictors"
        )
    column = names.index(within)
    n_groups = len(context.predictors[column].categories)
    groups = LeafDonors.collect(y, x[:, column].astype(int), n_groups)
    n_empty = int((groups.size == 0).sum())
    if n_empty:
        context.log(f"{n_empty} group(s) of '{within}' have no value: they draw from all")
    return Nested(column, groups, y)
