"""Associations with nominal variables, from what is counted of tables in parts.

Cramér's V follows from the rows in the cells of a pair, eta from the rows of each category, the sums of
their numbers and of their squares (`category_associations`). A sample would make both too large.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_tasks.data import Schema
from synth_tasks.data.correlation import NO_VARIANCE
from synth_tasks.utility.category_associations import (
    Association,
    correlation_ratio_of_sums,
    cramers_v_of_cells,
    nominal_pairs,
)
from synth_tasks.utility.chosen_pairs import choose_pairs
from synth_tasks.utility.pair_tables import PairTable


def sum_moments(values: np.ndarray, scaled: np.ndarray, schema: Schema) -> tuple[np.ndarray, ...]:
    """Add up the numbers in each category of nominal variables.

    Parameters
    ----------
    values : ndarray of shape (n, p)
        Encoded; NaN is missing.
    scaled : ndarray of shape (n, p)
        The same, near 0 and of size 1, or digits are lost.
    schema : Schema
        The variables.

    Returns
    -------
    tuple of ndarray of shape (n_categories, 3)
        For each pair of a nominal variable and a number, in the order of `nominal_pairs`: rows with
        both, and the sums of numbers and of their squares.
    """
    return tuple(
        _moments(values[:, i], scaled[:, j], len(list(schema)[i].categories))
        for i, j in (_turn(schema, *pair) for pair in nominal_pairs(schema))
        if not list(schema)[j].is_categorical
    )


def _turn(schema: Schema, i: int, j: int) -> tuple[int, int]:
    """Put the categories first."""
    return (i, j) if list(schema)[i].is_categorical else (j, i)


def _moments(codes: np.ndarray, scaled: np.ndarray, size: int) -> np.ndarray:
    both = ~(np.isnan(codes) | np.isnan(scaled))
    own, x = codes[both].astype(np.int64), scaled[both]
    return np.column_stack([np.bincount(own, w, size) for w in (np.ones(len(x)), x, x**2)])


def associate_counted(
    schema: Schema, pairs: Sequence[PairTable], moments: Sequence[np.ndarray]
) -> dict[tuple[int, int], Association]:
    """Return the association of each of `nominal_pairs`, and the rows it rests on.

    Parameters
    ----------
    schema : Schema
        The variables.
    pairs : sequence of PairTable
        Rows in the cells of `choose_pairs`; the last cell of a variable holds missing values.
    moments : sequence of ndarray
        From `sum_moments`, added up over parts.
    """
    tables = dict(zip(choose_pairs(len(schema)), pairs, strict=True))
    variables, remaining, found = list(schema), iter(moments), {}
    for i, j in nominal_pairs(schema):
        first, second = variables[i], variables[j]
        if first.is_categorical and second.is_categorical:
            sizes = len(first.categories), len(second.categories)
            found[i, j] = _cramers_v(tables[i, j], sizes)
        else:
            found[i, j] = _eta(next(remaining))
    return found


def _cramers_v(table: PairTable, sizes: tuple[int, int]) -> Association:
    cells, counts = table.filled
    x, y = np.divmod(cells, max(1, sizes[1]) + 1)
    both = (x < sizes[0]) & (y < sizes[1])
    return cramers_v_of_cells(x[both], y[both], counts[both]), int(counts[both].sum())


def _eta(moments: np.ndarray) -> Association:
    counts, sums, squares = moments.T
    n = counts.sum()
    mean = sums.sum() / max(1, n)
    about_mean = float(squares.sum() - n * mean**2)
    if about_mean <= NO_VARIANCE * n:
        return 0.0, int(n)
    return correlation_ratio_of_sums(counts, sums - counts * mean, about_mean), int(n)
