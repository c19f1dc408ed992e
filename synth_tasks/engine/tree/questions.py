"""The questions that a tree asks, and which leaf a row reaches by its answers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from synth_tasks.engine.tree.compiled import kernel, part

LEAF = -1
# Nominal predictors 0, 1, ... are -2, -3, ... for the kernels.
BEFORE_LEAF = LEAF - 1
# All that is asked in a node lies in one line of the processor's cache.
NODE = np.dtype([("threshold", "f8"), ("feature", "i4"), ("right", "i4")], align=True)


@dataclass(frozen=True)
class Questions:
    """The nodes of a tree, numbered from the root, 0; the left child of a node is the next one.

    Parameters
    ----------
    feature : ndarray of int of shape (n_nodes,)
        Predictor that a node asks for; -1 for a leaf.
    threshold : ndarray of float of shape (n_nodes,)
        Rows whose value is at most this go left; 0 for leaves and nominal predictors.
    right : ndarray of int of shape (n_nodes,)
        Right child; -1 for a leaf.
    first_level, end_level : ndarray of int of shape (n_nodes,)
        Where the levels of a nominal predictor that go left begin and end in `levels`, in ascending
        order; all others go right. Equal for other nodes.
    levels : ndarray of int
        See above.
    """

    feature: np.ndarray
    threshold: np.ndarray
    right: np.ndarray
    first_level: np.ndarray
    end_level: np.ndarray
    levels: np.ndarray

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """Return the node of the leaf each row falls in.

        Parameters
        ----------
        x : ndarray of shape (n_rows, n_predictors)
            Predictors, none missing.

        Returns
        -------
        ndarray of int32 of shape (n_rows,)
        """
        found = np.empty(len(x), dtype=np.int32)
        find_leaves(as_columns(x), *self.packed, found)
        return found

    @cached_property
    def packed(self) -> tuple[np.ndarray, ...]:
        """What the kernels take: nodes side by side in memory, and the levels that go left."""
        nodes = np.empty(len(self.feature), dtype=NODE)
        lists_levels = self.first_level < self.end_level
        nodes["threshold"], nodes["right"] = self.threshold, self.right
        nodes["feature"] = np.where(lists_levels, BEFORE_LEAF - self.feature, self.feature)
        return nodes, _whole(self.first_level), _whole(self.end_level), _whole(self.levels)

    def __getstate__(self) -> dict[str, np.ndarray]:
        """Leave behind, when stored, what can be computed."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def as_columns(x: np.ndarray) -> np.ndarray:
    """Return an array as the kernels take it: column-major, read-only."""
    columns = np.asarray(x, dtype=float, order="F").view()
    columns.flags.writeable = False
    return columns


def _whole(numbers: np.ndarray) -> np.ndarray:
    return np.asarray(numbers, dtype=np.int32)


@kernel
def find_leaves(x, nodes, first_level, end_level, levels, found):
    """Write the leaf of each row to `found`."""
    for i in range(len(x)):
        found[i] = find_leaf(x, i, nodes, first_level, end_level, levels)


@part
def find_leaf(x, i, nodes, first_level, end_level, levels):
    """Return the leaf of a row."""
    node = 0
    while True:
        asked = nodes[node].feature
        if asked == LEAF:
            return node
        if asked > LEAF:
            goes_left = x[i, asked] <= nodes[node].threshold
        else:
            level = np.int32(x[i, BEFORE_LEAF - asked])
            low, end = first_level[node], end_level[node]
            high = end
            while low < high:  # binary search for the first level that is not smaller
                middle = (low + high) >> 1
                if levels[middle] < level:
                    low = middle + 1
                else:
                    high = middle
            goes_left = low < end and levels[low] == level
        node = node + 1 if goes_left else nodes[node].right
