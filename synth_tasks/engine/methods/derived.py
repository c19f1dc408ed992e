"""A value computed from another column that says the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Variable
from synth_tasks.engine.categories import OneLevel
from synth_tasks.engine.redundancy import Relation, find_relation
from synth_tasks.engine.registry import Context, Fitted, method
from synth_tasks.errors import PlanError


@dataclass(frozen=True)
class Derived:
    """The predictor that says the same, and how the value follows from it.

    Parameters
    ----------
    column : int
        Position of the predictor.
    relation : Relation
        What follows from it.
    margin : ndarray
        Categories to draw from where nothing follows, for one never seen with its counterpart; empty
        for numbers, where everything follows.
    """

    column: int
    relation: Relation
    margin: np.ndarray

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Compute the value of each row; only what does not follow is random."""
        values = self.relation.apply(x[:, self.column])
        unknown = np.isnan(values)
        if unknown.any():
            values[unknown] = rng.choice(self.margin, size=int(unknown.sum()))
        return values


def derive(column: int, relation: Relation, y: np.ndarray, target: Variable) -> Derived:
    """Put a relation to use; `y` are training values of the derived variable."""
    return Derived(column, relation, np.unique(y) if target.is_categorical else y[:0])


@method("derived", draws_parameters=True)
def fit_derived(y: np.ndarray, x: np.ndarray, context: Context) -> Fitted:
    """Find the predictor from which the variable follows one-to-one; few rows are enough here."""
    if (y == y[0]).all():
        return OneLevel(float(y[0]))
    for column, predictor in enumerate(context.predictors):
        found = find_relation(x[:, column], y, predictor, context.target, least_rows=2)
        if found:
            return derive(column, found[0], y, context.target)
    raise PlanError(
        f"method 'derived' of '{context.target.name}': it follows from none of its predictors; use "
        "another method"
    )
