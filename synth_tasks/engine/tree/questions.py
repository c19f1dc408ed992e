"""The questions that a tree asks, and which leaf a row reaches by its answers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from synth_tasks.engine.tree.compiled import kernel, part

LEAF = -1
# Nominal predictors 0, 1, ... are -2, -3, ... for the kernels.
BEFORE_LEAF = LEAF - 1
# Places of the children of a node: where the answer is no, and where it is yes.
RIGHT, LEFT = 0, 1
# All that is asked in a node lies in one line of the processor's cache.
NODE = np.dtype([("threshold", "f8"), ("feature", "i4")], align=True)
ROWS_TOGETHER = 16


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
        """What the kernels take: the nodes, the children of each, and the levels that go left.

        A leaf asks for predictor 0 and is its own child, whatever the answer: a row stays there.
        """
        nodes = np.empty(len(self.feature), dtype=NODE)
        children = np.empty((len(nodes), 2), dtype=np.uint32)
        first_level, end_level = _whole(self.first_level), _whole(self.end_level)
        feature, right = _whole(self.feature), _whole(self.right)
        threshold = np.asarray(self.threshold, dtype=float)
        _pack(feature, threshold, right, first_level, end_level, nodes, children)
        return nodes, children, first_level, end_level, _whole(self.levels)

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
def read_nodes(nodes, n_levels):
    """Take apart what `grow_nodes` returns; levels only of nominal predictors, sizes only of leaves."""
    n_nodes = len(nodes)
    feature, right = np.empty(n_nodes, dtype=np.int32), np.empty(n_nodes, dtype=np.int32)
    first_level, end_level = np.zeros(n_nodes, dtype=np.int32), np.zeros(n_nodes, dtype=np.int32)
    start, size = np.empty(n_nodes, dtype=np.int64), np.zeros(n_nodes, dtype=np.int64)
    for node in range(n_nodes):
        f = nodes[node, 0]
        feature[node], right[node], start[node] = f, nodes[node, 1], nodes[node, 2]
        if f == LEAF:
            size[node] = nodes[node, 3]
        elif n_levels[f] > 0:
            first_level[node], end_level[node] = nodes[node, 4], nodes[node, 5]
    return feature, right, first_level, end_level, start, size


@kernel
def _pack(feature, threshold, right, first_level, end_level, nodes, children):
    for node in range(len(nodes)):
        nodes[node].threshold = threshold[node]
        if feature[node] == LEAF:
            nodes[node].feature = 0
            children[node, RIGHT] = children[node, LEFT] = node
            continue
        lists_levels = first_level[node] < end_level[node]
        nodes[node].feature = BEFORE_LEAF - feature[node] if lists_levels else feature[node]
        children[node, RIGHT], children[node, LEFT] = right[node], node + 1


@kernel
def find_leaves(x, nodes, children, first_level, end_level, levels, found):
    """Write the leaf of each row to `found`."""
    at = np.empty(ROWS_TOGETHER, dtype=np.uint32)
    for first in range(0, len(x), ROWS_TOGETHER):
        n_rows = min(ROWS_TOGETHER, len(x) - first)
        go_down(x, first, n_rows, nodes, children, first_level, end_level, levels, at)
        for j in range(n_rows):
            found[first + j] = at[j]


@part
def go_down(x, first, n_rows, nodes, children, first_level, end_level, levels, at):
    """Write the leaves of some rows, from `first` on, to `at`.

    The rows go down together, a node at a time. No answer decides on a branch, which the processor
    would guess wrong half the time: it is the place of the child, so rows need not wait for each other.
    """
    for j in range(n_rows):
        at[j] = 0
    moves = np.uint32(len(nodes) > 1)
    while moves:
        moves = np.uint32(0)
        for j in range(n_rows):
            node = at[j]
            asked = nodes[node].feature
            if asked >= 0:
                # Unsigned, a place cannot be meant to count from the end.
                value = x[np.uint64(first + j), np.uint64(asked)]
                goes_left = value <= nodes[node].threshold
            else:
                level = np.int32(x[first + j, BEFORE_LEAF - asked])
                goes_left = _is_listed(level, levels, first_level[node], end_level[node])
            child = children[node, np.uint64(goes_left)]
            moves |= child ^ node
            at[j] = child


@part
def _is_listed(level, levels, low, end):
    """Look for a level in a part of a list, in which levels ascend."""
    high = end
    while low < high:  # binary search for the first level that is not smaller
        middle = (low + high) >> 1
        if levels[middle] < level:
            low = middle + 1
        else:
            high = middle
    return low < end and levels[low] == level
