"""Sorting the columns of a table once for all trees that are grown on it.

A column is replaced by whole-number codes in the order of its values: two rows have the same code where
they have the same value, in double precision. Trees compare codes; only the thresholds they end up with
are looked up among the values. Any selection of rows, with repetitions counted as weights, needs no new
sort.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from synth_tasks.data import Variable
from synth_tasks.engine.tree.compiled import kernel

FEW_VALUES = 256


class SortedColumns:
    """The columns of an encoded table, each sorted when it is first asked for.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        Encoded table; it must not change.
    variables : sequence of Variable
        One per column.
    """

    def __init__(self, matrix: np.ndarray, variables: Sequence[Variable]) -> None:
        self.matrix = matrix
        self.variables = tuple(variables)
        self._sorted: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._known: dict[int, bool] = {}
        self._spreads: dict[int, float] = {}
        self._locks = [threading.Lock() for _ in self.variables]

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the sorted columns behind when stored: they are made anew."""
        return SortedColumns, (self.matrix, self.variables)

    def column(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a column as codes, with the value of each code.

        Parameters
        ----------
        position : int
            Number of the column.

        Returns
        -------
        codes : ndarray of int32 of shape (n_rows,)
            Position of the value in the sorted column, the first one among equals; or among its
            distinct values, if these are few; or the category code. Missing values come last among
            numbers, and are -1 among categories.
        values : ndarray of float
            ``values[codes]`` is the column.
        """
        with self._locks[position]:
            if position not in self._sorted:
                self._sorted[position] = self._sort(position)
            return self._sorted[position]

    def is_known(self, position: int) -> bool:
        """Whether a column has no missing value and no code beyond its categories."""
        if position not in self._known:
            self._known[position] = are_known(*self.column(position))
        return self._known[position]

    def spread(self, position: int) -> float:
        """Return the standard deviation of a column of numbers; 1 for categories and constants."""
        if position not in self._spreads:
            varies = not self.variables[position].is_categorical
            self._spreads[position] = (varies and float(self.matrix[:, position].std())) or 1.0
        return self._spreads[position]

    def _sort(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        values, variable = self.matrix[:, position], self.variables[position]
        if variable.is_categorical:
            codes = np.where(np.isnan(values), -1, values).astype(np.int32)
            return codes, np.arange(len(variable.categories), dtype=float)
        return sort_values(np.ascontiguousarray(values))


def are_known(codes: np.ndarray, values: np.ndarray) -> bool:
    """Whether all codes stand for a value; see `SortedColumns.column`."""
    lowest, highest = int(codes.min()), int(codes.max())
    return lowest >= 0 and highest < len(values) and not np.isnan(values[highest])


def sort_values(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Replace numbers by codes in their order; see `SortedColumns.column`.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        None missing.

    Returns
    -------
    codes : ndarray of int32 of shape (n_rows,)
    values_of_codes : ndarray of float
    """
    # The order of equal values does not matter: they get the same code.
    order = np.argsort(values)
    ordered = values[order]
    codes, n_distinct = _codes(order, ordered)
    if n_distinct > FEW_VALUES:
        return codes, ordered
    first = np.unique(codes)
    return np.searchsorted(first, codes).astype(np.int32), ordered[first]


@kernel
def _codes(order, ordered):
    codes = np.empty(len(order), dtype=np.int32)
    first, n_distinct = 0, 0
    for i in range(len(order)):
        if i == 0 or ordered[i] != ordered[i - 1]:
            first = i
            n_distinct += 1
        codes[order[i]] = first
    return codes, n_distinct
