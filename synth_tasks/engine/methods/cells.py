"""Cells of the cross-classification of categorical predictors, and the training values in them.

Only cells with training rows are held, so that many predictors need no large table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.registry import Context
from synth_tasks.engine.tree import LeafDonors
from synth_tasks.errors import PlanError


def count_levels(method: str, context: Context) -> tuple[int, ...]:
    """Return the number of categories of each predictor; refuse numeric ones.

    Parameters
    ----------
    method : str
        Name of the method, for the message.
    context : Context
        Names target and predictors.

    Returns
    -------
    tuple of int
    """
    numeric = [v.name for v in context.predictors if not v.is_categorical]
    if numeric:
        raise PlanError(
            f"method '{method}' of '{context.target.name}' needs categorical predictors: set "
            f"{', '.join(numeric)} to 0 in its row of predictor_matrix"
        )
    return tuple(len(v.categories) for v in context.predictors)


def require_cells(method: str, context: Context, at_most: int) -> None:
    """Refuse a cross-classification of the predictors and the target with too many cells."""
    n_cells = math.prod(count_levels(method, context)) * len(context.target.categories)
    if n_cells > at_most:
        raise PlanError(
            f"method '{method}' of '{context.target.name}': its table would have more than "
            f"{at_most} cells; leave predictors out in predictor_matrix or merge categories"
        )


@dataclass(frozen=True)
class CellDonors:
    """Training values by the combination of the first d predictors, for d = 0, 1, ...

    Parameters
    ----------
    n_levels : tuple of int
        Number of categories of each predictor.
    keys : tuple of ndarray
        For d = 1, 2, ...: combinations of the first d predictors that occur, in ascending order,
        written as ``position of the first d - 1 * n_levels + code``.
    donors : tuple of LeafDonors
        For d = 0, 1, ...: the values of each combination. All share one array of values.
    """

    n_levels: tuple[int, ...]
    keys: tuple[np.ndarray, ...]
    donors: tuple[LeafDonors, ...]

    @classmethod
    def collect(cls, y: np.ndarray, x: np.ndarray, n_levels: tuple[int, ...]) -> CellDonors:
        """Sort the values `y` by the codes `x`, an array of shape (n_rows, n_predictors)."""
        position = np.zeros(len(y), dtype=int)
        positions, keys = [position], []
        for n, codes in zip(n_levels, x.T.astype(int), strict=True):
            key, position = np.unique(position * n + codes, return_inverse=True)
            positions.append(position)
            keys.append(key)
        # Keys ascend with the first predictor, then the second, ...: rows in the order of the last
        # position are in the order of every other one.
        values = y[np.argsort(position, kind="stable")]
        sizes = [np.bincount(p) for p in positions]
        donors = tuple(LeafDonors(values, np.cumsum(size) - size, size) for size in sizes)
        return cls(n_levels, tuple(keys), donors)

    def locate(self, x: np.ndarray) -> np.ndarray:
        """Find the cells of some rows.

        Parameters
        ----------
        x : ndarray of shape (n_rows, n_predictors)
            Coded predictors.

        Returns
        -------
        ndarray of int of shape (n_predictors + 1, n_rows)
            Row d: position of the combination of the first d predictors, -1 if it has no training
            rows.
        """
        position = np.zeros(len(x), dtype=int)
        positions = [position]
        for n, keys, codes in zip(self.n_levels, self.keys, x.T.astype(int), strict=True):
            wanted = position * n + codes  # negative, as no key is, where the position is -1
            nearest = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            position = np.where(keys[nearest] == wanted, nearest, -1)
            positions.append(position)
        return np.array(positions)
