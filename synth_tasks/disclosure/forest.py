"""The model of an intruder: a small forest that predicts a target from keys.

Trees of the engine (`synth_tasks.engine.tree`) on bootstrap samples, with few rows in a leaf, since a
close fit to the published rows is what finds copies. Missing keys are a value of their own.

References
----------
Breiman (1996). Bagging predictors. Machine Learning 24, 123-140.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from synth_tasks.data import Kind, Variable
from synth_tasks.engine.tree import Sample, SortedColumns, Tree, grow_tree
from synth_tasks.engine.workers import map_in_threads

N_TREES = 20
MINBUCKET = 2
MAXDEPTH = 30

# To group levels a tree needs a table of levels and classes: beyond this, codes count as numbers.
MOST_LEVELS = 256


@dataclass(frozen=True)
class KeyColumns:
    """Keys in the form that trees take: no missing values.

    Parameters
    ----------
    variables : tuple of Variable
        Nominal keys with a category more, all others as numbers.
    missing : ndarray of shape (n_keys,)
        What stands for a missing value: the category more, or a number below all others.
    """

    variables: tuple[Variable, ...]
    missing: np.ndarray

    @classmethod
    def learn(cls, keys: np.ndarray, variables: Sequence[Variable]) -> KeyColumns:
        """Choose what stands for missing values from the encoded keys, of shape (n, n_keys)."""
        taken, missing = [], []
        for column, variable in zip(keys.T, variables, strict=True):
            if variable.kind is Kind.NOMINAL and len(variable.categories) < MOST_LEVELS:
                taken.append(replace(variable, categories=(*variable.categories, "")))
                missing.append(float(len(variable.categories)))
            else:
                observed = column[~np.isnan(column)]
                taken.append(Variable(variable.name, Kind.NUMERIC, "float64"))
                missing.append(observed.min() - np.ptp(observed) - 1 if len(observed) else 0.0)
        return cls(tuple(taken), np.array(missing))

    def fill(self, keys: np.ndarray) -> np.ndarray:
        """Return encoded keys without missing values."""
        return np.asfortranarray(np.where(np.isnan(keys), self.missing, keys))


@dataclass(frozen=True)
class Forest:
    """Trees that are asked together.

    Parameters
    ----------
    trees : tuple of Tree
        Each grown on a bootstrap sample.
    columns : KeyColumns
        The keys.
    n_classes : int
        Number of classes of a categorical target; 0 for numbers.
    """

    trees: tuple[Tree, ...]
    columns: KeyColumns
    n_classes: int

    def predict(self, keys: np.ndarray) -> np.ndarray:
        """Predict the target.

        Parameters
        ----------
        keys : ndarray of shape (n, n_keys)
            Encoded keys; missing values as NaN.

        Returns
        -------
        ndarray of shape (n,)
            The class with the largest mean share in the leaves, the first of several; or the median
            over trees of the medians in the leaves, which finds a value that most people share.
        """
        x = self.columns.fill(keys)
        if not self.n_classes:
            return np.median([_leaf_medians(tree)[tree.leaves(x)] for tree in self.trees], axis=0)
        votes = np.zeros((len(x), self.n_classes))
        for tree in self.trees:
            votes += _leaf_shares(tree, self.n_classes)[tree.leaves(x)]
        return votes.argmax(axis=1).astype(float)


def grow_forest(
    keys: np.ndarray,
    target: np.ndarray,
    variables: Sequence[Variable],
    *,
    n_classes: int,
    rng: np.random.Generator,
    n_trees: int = N_TREES,
    workers: int = 1,
) -> Forest:
    """Grow a forest.

    Parameters
    ----------
    keys : ndarray of shape (n, n_keys)
        Encoded keys; missing values as NaN.
    target : ndarray of shape (n,)
        Numbers or class codes, none missing.
    variables : sequence of Variable
        The keys.
    n_classes : int
        Number of classes of the target; 0 for numbers.
    rng : Generator
        Draws the bootstrap samples, before any tree is grown.
    n_trees : int, default 20
        Number of trees.
    workers : int, default 1
        Threads.
    """
    columns = KeyColumns.learn(keys, variables)
    table = SortedColumns(columns.fill(keys), columns.variables)
    n = len(target)
    samples = [rng.integers(n, size=n) for _ in range(n_trees)]
    grow = partial(_grow, table, target, n_classes > 0)
    return Forest(tuple(map_in_threads(grow, samples, workers)), columns, n_classes)


def _grow(table: SortedColumns, target: np.ndarray, categorical: bool, drawn: np.ndarray) -> Tree:
    sample = Sample.of_rows(table, range(len(table.variables)), drawn)
    return grow_tree(
        target[np.unique(drawn)],
        sample,
        categorical=categorical,
        minbucket=MINBUCKET,
        minsplit=2 * MINBUCKET,
        maxdepth=MAXDEPTH,
        cp=0.0,
    )


def _leaf_shares(tree: Tree, n_classes: int) -> np.ndarray:
    """Return the shares of classes among the donors of every node; 0 for inner nodes."""
    leaves, node = tree.leaf_donors, _node_of_donors(tree)
    n_nodes = len(leaves.size)
    cells = np.bincount(
        node * n_classes + leaves.donors.astype(np.int64), minlength=n_nodes * n_classes
    )
    return cells.reshape(n_nodes, n_classes) / np.maximum(leaves.size, 1)[:, None]


def _leaf_medians(tree: Tree) -> np.ndarray:
    """Return the lower median of the donors of every node; any number for inner nodes."""
    leaves, node = tree.leaf_donors, _node_of_donors(tree)
    ordered = leaves.donors[np.lexsort([leaves.donors, node])]
    # Sorted by node, not by place: count where each node begins anew.
    begin = np.cumsum(leaves.size) - leaves.size
    middle = begin + np.maximum(leaves.size - 1, 0) // 2
    return ordered[np.minimum(middle, len(ordered) - 1)]


def _node_of_donors(tree: Tree) -> np.ndarray:
    """Return the leaf of every donor; the donors of one leaf lie side by side."""
    leaves = tree.leaf_donors
    filled = np.flatnonzero(leaves.size)
    filled = filled[np.argsort(leaves.start[filled])]
    return np.repeat(filled, leaves.size[filled])
