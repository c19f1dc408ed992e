"""Cells of contingency tables: categories, quantile groups of numbers, and missing values.

1. A categorical variable has a cell for each category.
2. A numeric variable has at most five cells, the quantile groups of the pooled real and synthetic
   values, as in the function utility.tab of the R package synthpop. Variables with five values or
   fewer have a cell for each value.
3. Missing values have a cell of their own.

A spike that holds nearly all values makes the quantiles coincide. Where synthpop is left with a
single cell, which hides every difference, the smallest and the largest value become cells here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from synth_tasks.data import Variable
from synth_tasks.utility.pair import TablePair
from synth_tasks.utility.tables import cross_tabulate

GROUPS = 5


@dataclass(frozen=True, slots=True)
class GroupedPair:
    """Cell numbers of every value in two tables.

    Parameters
    ----------
    names : list of str
        The p variables.
    real : ndarray of shape (n, p), int64, column-major
        Cell of each value, from 0.
    synthetic : ndarray of shape (k, p), int64, column-major
        Likewise.
    sizes : ndarray of shape (p,), int64
        Number of cells of each variable, empty ones included.
    set_number : int
        Number of the synthetic set.
    inflation : float, default 1
        See `TablePair.inflation`.
    """

    names: list[str]
    real: np.ndarray
    synthetic: np.ndarray
    sizes: np.ndarray
    set_number: int
    inflation: float = 1.0

    @property
    def n_rows(self) -> int:
        """Number of real and synthetic rows together."""
        return len(self.real) + len(self.synthetic)

    def one(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Count the rows of both tables in each cell of a variable; see `CellCounts`."""
        size = self.sizes[i]
        return (
            np.bincount(self.real[:, i], minlength=size),
            np.bincount(self.synthetic[:, i], minlength=size),
        )

    def two(self, i: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        """Count the rows of both tables in each cell of two variables; see `CellCounts`."""
        return cross_tabulate(
            (self.real[:, i], self.real[:, j]),
            (self.synthetic[:, i], self.synthetic[:, j]),
            (int(self.sizes[i]), int(self.sizes[j])),
        )


class CellCounts(Protocol):
    """Counts of two tables in the cells of their variables, wherever they come from."""

    @property
    def names(self) -> list[str]:
        """The p variables."""
        ...

    @property
    def set_number(self) -> int:
        """Number of the synthetic set."""
        ...

    @property
    def n_rows(self) -> int:
        """Number of real and synthetic rows together."""
        ...

    @property
    def inflation(self) -> float:
        """Variance of a difference of shares under a plug-in synthesis; see `TablePair.inflation`."""
        ...

    def one(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the counts of a variable, real and synthetic, in equal order of cells."""
        ...

    def two(self, i: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the counts of two variables, real and synthetic, in equal order of cells."""
        ...


def group_pair(pair: TablePair, groups: int = GROUPS) -> GroupedPair:
    """Give each value of both tables its cell.

    Parameters
    ----------
    pair : TablePair
        The tables.
    groups : int
        Largest number of quantile groups of a numeric variable.
    """
    real = np.empty(pair.real.shape, dtype=np.int64, order="F")
    synthetic = np.empty(pair.synthetic.shape, dtype=np.int64, order="F")
    sizes = np.empty(len(pair.schema), dtype=np.int64)
    for i, variable in enumerate(pair.schema):
        pooled = np.concatenate([pair.real[:, i], pair.synthetic[:, i]])
        cuts = cell_cuts(pooled, variable, groups)
        real[:, i] = assign_cells(pair.real[:, i], cuts)
        synthetic[:, i] = assign_cells(pair.synthetic[:, i], cuts)
        sizes[i] = len(cuts) + 2
    return GroupedPair(pair.schema.names, real, synthetic, sizes, pair.set_number, pair.inflation)


def cell_cuts(values: np.ndarray, variable: Variable, groups: int) -> np.ndarray:
    """Return where the cells of a variable begin; the first cell has no lower end."""
    if variable.is_categorical:
        return np.arange(1.0, len(variable.categories))
    return quantile_cuts(values, groups)


def quantile_cuts(values: np.ndarray, groups: int) -> np.ndarray:
    """Cut the range of a numeric variable at its quantiles.

    Parameters
    ----------
    values : ndarray of shape (n,)
        May hold NaN.
    groups : int
        Number of groups wanted; ties may leave fewer.

    Returns
    -------
    ndarray
        Increasing cut points; group g holds ``cuts[g-1] <= value < cuts[g]``.

    Notes
    -----
    Quantiles of type 7 (Hyndman & Fan 1996), the default of R. Positions are computed in integers:
    0.6 times 5 in floating point lies beyond 3 and would push a tied value into the wrong group.
    """
    ordered = np.sort(values[~np.isnan(values)])
    distinct = np.unique(ordered)
    if len(distinct) <= groups:
        return distinct[1:]
    below, remainder = np.divmod(np.arange(1, groups) * (len(ordered) - 1), groups)
    step = ordered[below + 1] - ordered[below]
    quantiles = ordered[below] + step * (remainder / groups)
    return cuts_between(quantiles, distinct[0], distinct[1], distinct[-1])


def cuts_between(quantiles: np.ndarray, lowest: float, second: float, highest: float) -> np.ndarray:
    """Return the quantiles that cut; where none does, the second and the largest value.

    Parameters
    ----------
    quantiles : ndarray
        Quantiles of a variable.
    lowest, second, highest : float
        Its two smallest different values, and the largest.
    """
    different = np.unique(quantiles)
    cuts = different[(different > lowest) & (different < highest)]
    return cuts if len(cuts) else np.array([second, highest])


def assign_cells(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Return the cells of values, 0 to ``len(cuts)``; missing values get ``len(cuts) + 1``."""
    return np.where(
        np.isnan(values), len(cuts) + 1, np.searchsorted(cuts, values, side="right")
    ).astype(np.int64)
