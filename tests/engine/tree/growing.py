"""Growing trees in tests, and checking them by brute force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from synth_tasks.data import Kind, Variable
from synth_tasks.engine.tree import LEAF, Sample, SortedColumns, Tree, grow_tree
from tests.engine.builders import numbers


def grow(
    y: np.ndarray,
    x: np.ndarray,
    predictors: Sequence[Variable] | None = None,
    categorical: bool = False,
    minbucket: int = 5,
    cp: float = 1e-8,
    counts: np.ndarray | None = None,
    **limits: int,
) -> Tree:
    y, x = np.asarray(y, dtype=float), np.asarray(x, dtype=float)
    sample = Sample.of(x, predictors or numbers(x.shape[1]))
    if counts is not None:
        rows = np.flatnonzero(counts)
        sample = Sample(SortedColumns(x, sample.predictors), sample.positions, rows, counts[rows])
        y = y[rows]
    return grow_tree(
        y,
        sample,
        categorical=categorical,
        minbucket=minbucket,
        cp=cp,
        **{"minsplit": 3 * minbucket, "maxdepth": 30} | limits,
    )


def impurity(response: np.ndarray, counts: np.ndarray | None = None) -> float:
    """Weighted sum of squares about the mean, of one response a column."""
    counts = np.ones(len(response), dtype=int) if counts is None else counts
    repeated = np.repeat(response, counts, axis=0)
    return float(((repeated - repeated.mean(axis=0)) ** 2).sum())


def split_of(tree: Tree, x: np.ndarray) -> dict[int, np.ndarray]:
    """Return the rows of every node, in ascending order."""
    leaves, right = tree.leaves(x), tree.questions.right
    rows = {}
    for node in range(len(right) - 1, -1, -1):
        if tree.questions.feature[node] == LEAF:
            rows[node] = np.flatnonzero(leaves == node)
        else:
            rows[node] = np.sort(np.concatenate([rows[node + 1], rows[int(right[node])]]))
    return rows


def admissible_gains(
    response: np.ndarray,
    x: np.ndarray,
    counts: np.ndarray,
    predictors: Sequence[Variable],
    minbucket: int,
) -> Iterator[float]:
    """Yield what every split into parts of enough rows would remove."""
    total = impurity(response, counts)
    for column, variable in zip(x.T, predictors, strict=False):
        for left in _groupings(column, variable):
            if min(counts[left].sum(), counts[~left].sum()) >= minbucket:
                yield (
                    total
                    - impurity(response[left], counts[left])
                    - impurity(response[~left], counts[~left])
                )


def _groupings(column: np.ndarray, variable: Variable) -> Iterator[np.ndarray]:
    values = np.unique(column)
    if variable.kind is Kind.NOMINAL:
        for size in range(1, len(values) // 2 + 1):
            for group in combinations(values, size):
                yield np.isin(column, group)
    else:
        for value in values[:-1]:
            yield column <= value
