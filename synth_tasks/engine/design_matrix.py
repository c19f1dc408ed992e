"""The design matrix of parametric methods.

Numbers are standardised, nominal variables become treatment dummies, ordinal variables orthogonal
polynomial contrasts (as R's `model.matrix` makes them). Columns that do not vary or depend linearly on
the others are left out, whatever their scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg import qr

from synth_tasks.data import Kind, Variable

DEPENDENCE_TOLERANCE = 1e-7


@lru_cache(maxsize=64)
def polynomial_contrasts(n_levels: int) -> np.ndarray:
    """Return orthonormal polynomial contrasts, as R's ``contr.poly``.

    Returns
    -------
    ndarray of shape (n_levels, n_levels - 1)
        Column d holds the contrast of degree d + 1.
    """
    scores = np.arange(n_levels) - (n_levels - 1) / 2
    powers = np.vander(scores, n_levels, increasing=True)
    q, r = np.linalg.qr(powers)
    return (q * np.sign(np.diag(r)))[:, 1:]


def expand(x: np.ndarray, variables: Sequence[Variable]) -> np.ndarray:
    """Expand coded predictors to numeric columns.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_predictors)
        Numbers and category codes.
    variables : sequence of Variable
        One per column of `x`.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        Without an intercept.
    """
    blocks = [_expand_column(x[:, i], variable) for i, variable in enumerate(variables)]
    return np.hstack(blocks) if blocks else np.empty((len(x), 0))


def _expand_column(values: np.ndarray, variable: Variable) -> np.ndarray:
    if not variable.is_categorical:
        return values[:, None]
    n_levels = len(variable.categories)
    if variable.kind is Kind.ORDINAL:
        return polynomial_contrasts(n_levels)[values.astype(int)]
    return (values[:, None] == np.arange(1, n_levels)).astype(float)


@dataclass(frozen=True)
class Design:
    """A design matrix learnt on training rows, to be applied to others.

    Parameters
    ----------
    variables : tuple of Variable
        Predictors in the order of the columns of `x`.
    kept : ndarray of shape (n_kept,)
        Expanded columns that are used.
    center, scale : ndarray of shape (n_kept,)
        Mean and standard deviation in the training rows.
    smallest_group : int
        Training rows in the rarest category of any predictor; a model reproduces its outcome the more
        exactly, the fewer they are.
    """

    variables: tuple[Variable, ...]
    kept: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    smallest_group: int

    @classmethod
    def learn(
        cls, x: np.ndarray, variables: Sequence[Variable], log: Callable[[str], None] | None = None
    ) -> Design:
        """Decide which columns to use and how to standardise them; `log` is told of whole variables."""
        columns = expand(x, variables)
        center = columns.mean(axis=0)
        scale = columns.std(axis=0)
        # Relative to the size of the values: a variable in small units varies as much as any other.
        varies = scale > 1e-10 * np.maximum(np.abs(center), np.finfo(float).tiny)
        candidates = np.flatnonzero(varies)
        standard = (columns[:, candidates] - center[candidates]) / scale[candidates]
        kept = candidates[_independent(standard)]
        if log is not None:
            left_out = _variables_left_out(variables, kept)
            if left_out:
                log(f"predictors that do not vary, or follow from others: {', '.join(left_out)}")
        smallest = _smallest_group(x, variables)
        return cls(tuple(variables), kept, center[kept], scale[kept], smallest)

    def matrix(self, x: np.ndarray) -> np.ndarray:
        """Return the standardised columns for new rows, without intercept."""
        columns = expand(x, self.variables)[:, self.kept]
        return (columns - self.center) / self.scale

    def with_intercept(self, x: np.ndarray) -> np.ndarray:
        """Return the standardised columns behind a column of ones."""
        return np.column_stack([np.ones(len(x)), self.matrix(x)])


def _smallest_group(x: np.ndarray, variables: Sequence[Variable]) -> int:
    sizes = [
        int(np.unique(values, return_counts=True)[1].min(initial=len(x)))
        for values, variable in zip(x.T, variables, strict=True)
        if variable.is_categorical
    ]
    return min(sizes, default=len(x))


def _variables_left_out(variables: Sequence[Variable], kept: np.ndarray) -> list[str]:
    """Name the variables none of whose columns is kept."""
    widths = [len(v.categories) - 1 if v.is_categorical else 1 for v in variables]
    ends = np.cumsum([0, *widths])
    return [
        variable.name
        for variable, first, last in zip(variables, ends, ends[1:], strict=False)
        if not ((kept >= first) & (kept < last)).any()
    ]


def _independent(columns: np.ndarray) -> np.ndarray:
    """Return the positions of a largest set of linearly independent columns, in order."""
    if columns.shape[1] < 2:
        return np.arange(columns.shape[1])
    r, order = qr(columns, mode="r", pivoting=True, check_finite=False)
    diagonal = np.abs(np.diag(r))
    rank = int((diagonal > DEPENDENCE_TOLERANCE * diagonal[0]).sum())
    return np.sort(order[:rank])
