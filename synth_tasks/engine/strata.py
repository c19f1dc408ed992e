"""Strata: parts of the data with models of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Schema


@dataclass(frozen=True)
class Strata:
    """Which stratum each row belongs to.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int
        0, 1, ..., count - 1.
    """

    numbers: np.ndarray

    @property
    def count(self) -> int:
        """Number of strata."""
        return int(self.numbers.max()) + 1

    @property
    def shares(self) -> np.ndarray:
        """Share of the rows in each stratum, an array of shape (count,)."""
        return np.bincount(self.numbers) / len(self.numbers)

    def rows(self, number: int) -> np.ndarray:
        """Return the row numbers of a stratum."""
        return np.flatnonzero(self.numbers == number)


def least_stratum_size(n_variables: int) -> int:
    """Return the default for the smallest stratum: 10 rows, and 10 more for every variable.

    References
    ----------
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11).
    """
    return 10 + 10 * n_variables


def divide(
    matrix: np.ndarray,
    schema: Schema,
    names: Sequence[str],
    min_size: int,
    learnable: np.ndarray | None = None,
) -> tuple[Strata, list[str]]:
    """Divide the rows by the categories of some variables, and merge small strata.

    The smallest stratum is merged with the next smallest until all are large enough. Within a merged
    stratum the dividing variables are modelled like any other.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data.
    schema : Schema
        Its description.
    names : sequence of str
        Categorical variables; a missing value that is kept counts as a category.
    min_size : int
        Least number of rows of a stratum to learn from.
    learnable : ndarray of bool of shape (n_rows,), optional
        Rows that models may learn from; all if not given.

    Returns
    -------
    strata : Strata
    remarks : list of str
    """
    columns = [schema.position(name) for name in names]
    codes = np.where(np.isnan(matrix[:, columns]), -1, matrix[:, columns])
    _, numbers = np.unique(codes, axis=0, return_inverse=True)
    numbers = numbers.reshape(-1)
    n_found = int(numbers.max()) + 1
    sizes = np.bincount(numbers, weights=learnable, minlength=n_found)
    strata = Strata(merge_small(sizes, min_size)[numbers])
    remarks = []
    if strata.count < n_found:
        remarks.append(f"{n_found} strata merged to {strata.count} of at least {min_size} rows")
    return strata, remarks


def merge_small(sizes: np.ndarray, min_size: int) -> np.ndarray:
    """Merge the smallest stratum with the next smallest until all are large enough.

    Parameters
    ----------
    sizes : ndarray of shape (n_found,)
        Rows of each stratum to learn from.
    min_size : int
        Least number of them.

    Returns
    -------
    ndarray of shape (n_found,), int
        What each becomes: 0, 1, ..., without gaps.
    """
    sizes, merged_into = sizes.copy(), np.arange(len(sizes))
    while len(alive := np.unique(merged_into)) > 1 and sizes[alive].min() < min_size:
        smallest, next_smallest = alive[np.argsort(sizes[alive], kind="stable")[:2]]
        sizes[next_smallest] += sizes[smallest]
        merged_into[merged_into == smallest] = next_smallest
    return np.unique(merged_into, return_inverse=True)[1]
