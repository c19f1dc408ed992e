"""Rows in the cells of two variables, in tables that are added up part by part.

Two variables with ten thousand categories have a hundred million cells, nearly all of them empty. Up to
`MOST_DENSE` cells all are counted in an array; beyond that only those that hold a row are kept, so that
a table never takes more room than the rows it counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_DENSE = 1000


@dataclass(frozen=True)
class PairTable:
    """Rows in the cells of two variables.

    Parameters
    ----------
    counts : ndarray of int64
        Of all cells, or of those in `cells`.
    cells : ndarray of int64, optional
        Numbers of the cells that hold a row, increasing; None if there are few cells.
    """

    counts: np.ndarray
    cells: np.ndarray | None = None

    @classmethod
    def count(cls, cells: np.ndarray, n_cells: int) -> PairTable:
        """Count rows.

        Parameters
        ----------
        cells : ndarray of int64 of shape (n_rows,)
            The cell of each row, from 0.
        n_cells : int
            Number of cells; it decides what is kept, so that all parts can be added.
        """
        if n_cells <= MOST_DENSE:
            return cls(np.bincount(cells, minlength=n_cells))
        used, counts = np.unique(cells, return_counts=True)
        return cls(counts, used)

    def __add__(self, other: PairTable) -> PairTable:
        if self.cells is None or other.cells is None:
            return PairTable(self.counts + other.counts)
        used, one, two = _align((self.cells, self.counts), (other.cells, other.counts))
        return PairTable(one + two, used)

    @property
    def filled(self) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of the cells that hold a row, and their rows."""
        cells = np.arange(len(self.counts)) if self.cells is None else self.cells
        filled = self.counts > 0
        return cells[filled], self.counts[filled]

    def beside(self, other: PairTable) -> tuple[np.ndarray, np.ndarray]:
        """Return the counts of both tables in one order of cells, perhaps without empty ones."""
        if self.cells is None or other.cells is None:
            return self.counts, other.counts
        return _align((self.cells, self.counts), (other.cells, other.counts))[1:]


Counted = tuple[np.ndarray, np.ndarray]


def _align(one: Counted, other: Counted) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cells of both, and the counts of each in them."""
    used = np.union1d(one[0], other[0])
    found = np.zeros((2, len(used)), dtype=np.int64)
    for row, (cells, counts) in zip(found, (one, other), strict=True):
        row[np.searchsorted(used, cells)] = counts
    return used, found[0], found[1]
