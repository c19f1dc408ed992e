"""Trees without donors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from synth_tasks.data import Variable
from synth_tasks.engine.portable.quantiles import LEAST_ROWS, Quantiles, decimals_for
from synth_tasks.engine.portable.shares import DECIMALS, Shares, shrink
from synth_tasks.engine.tree import LEAF, Questions, Tree
from synth_tasks.errors import PlanError

Groups = Quantiles | Shares
PIECES_A_LEAF = 20
BRANCH_ROWS = 30
THRESHOLD_DIGITS = 3
LEAST_SIZE = 1e-3


@dataclass(frozen=True)
class PortableTree:
    """A tree with a distribution in each leaf.

    Parameters
    ----------
    questions : Questions
        The nodes.
    group : ndarray of int of shape (n_nodes,)
        Number of the leaf among the leaves; -1 for an inner node.
    leaves : Quantiles or Shares
        What is drawn in each leaf.
    """

    questions: Questions
    group: np.ndarray
    leaves: Groups

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw from the leaf of each row."""
        return self.leaves.draw(self.groups(x), rng)

    def groups(self, x: np.ndarray) -> np.ndarray:
        """Return the number of the leaf each row falls in, among the leaves."""
        return self.group[self.questions.leaves(x)]


def export_tree(
    tree: Tree, donors: np.ndarray, target: Variable, predictors: Sequence[Variable]
) -> PortableTree:
    """Replace the donors of a tree.

    Leaves of numbers get smoothed quantile functions. A leaf too small to tell its own spread gets that
    within the leaves of its *branch*, the smallest part of the tree around it with at least 30 donors.
    Leaves of categories get shares, shrunk towards the shares in their branch, and these towards the
    shares at the root. Thresholds, which lie half way between the values of two people, are moved to
    the middle of a cell of a grid, whose width is between 0.1 % and 1 % of the predictor's standard
    deviation, or of the threshold if that is smaller (but counts as 0.1 % of the standard deviation at
    least).

    Parameters
    ----------
    tree : Tree
        With at least three donors in each leaf.
    donors : ndarray of shape (n_rows,)
        Its donors, with supported tails if these are asked for.
    target : Variable
        What is drawn.
    predictors : sequence of Variable
        What it was grown on.

    Returns
    -------
    PortableTree
    """
    asked, size, start = tree.questions, tree.leaf_donors.size, tree.leaf_donors.start
    leaf_nodes, inner = np.flatnonzero(asked.feature == LEAF), np.flatnonzero(asked.feature != LEAF)
    if (size[leaf_nodes] < LEAST_ROWS).any():
        raise PlanError(
            f"the tree of '{target.name}' has leaves of fewer than {LEAST_ROWS} rows, which cannot be "
            f"exported: raise its option minbucket to {LEAST_ROWS} or more and fit anew"
        )
    parent = np.full(len(size), LEAF)
    parent[inner + 1] = parent[asked.right[inner]] = inner
    groups = [donors[start[node] : start[node] + size[node]] for node in leaf_nodes]
    branch = _branches(leaf_nodes, parent, size)
    leaves: Groups
    if target.is_categorical:
        n_categories = len(target.categories)
        leaves = _shrunken_shares(groups, leaf_nodes, parent, branch, n_categories)
    else:
        sums = np.zeros((len(size), 2))
        sums[leaf_nodes] = [[len(g), g.var() * len(g)] for g in groups]
        n_rows, squares = _add_up(sums, parent)[branch].T
        leaves = Quantiles.learn(groups, np.sqrt(squares / n_rows), PIECES_A_LEAF)
    group = np.full(len(size), LEAF)
    group[leaf_nodes] = np.arange(len(leaf_nodes))
    blurred = replace(asked, threshold=_blurred(tree, predictors))
    return PortableTree(blurred, group, leaves)


def _blurred(tree: Tree, predictors: Sequence[Variable]) -> np.ndarray:
    """Return the thresholds that numbers are compared with, moved away from values of people."""
    threshold = tree.questions.threshold.copy()
    for j, variable in enumerate(predictors):
        if not variable.is_categorical:  # thresholds of codes lie half way between whole numbers
            asked = tree.questions.feature == j
            spread = float(tree.spread[j])
            threshold[asked] = [_blur(value, spread) for value in threshold[asked].tolist()]
    return threshold


def _blur(threshold: float, spread: float) -> float:
    """Move a threshold to the middle of a cell of a grid."""
    size = min(spread, max(abs(threshold), LEAST_SIZE * spread))
    decimals = decimals_for(size, THRESHOLD_DIGITS)
    return round((math.floor(threshold * 10.0**decimals) + 0.5) / 10.0**decimals, decimals + 1)


def _branches(leaf_nodes: np.ndarray, parent: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the node whose donors each leaf borrows from."""
    n_rows = _add_up(size[:, None].astype(float), parent)[:, 0]
    branch = leaf_nodes.copy()
    while (small := (n_rows[branch] < BRANCH_ROWS) & (parent[branch] != LEAF)).any():
        branch[small] = parent[branch[small]]
    return branch


def _add_up(of_leaves: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Sum over the leaves below each node; rows of inner nodes are zero at first."""
    sums = of_leaves.copy()
    # The number of a child is larger than that of its parent.
    for node in range(len(parent) - 1, 0, -1):
        sums[parent[node]] += sums[node]
    return sums


def _shrunken_shares(
    groups: list[np.ndarray],
    leaf_nodes: np.ndarray,
    parent: np.ndarray,
    branch: np.ndarray,
    n_categories: int,
) -> Shares:
    counts = np.zeros((len(parent), n_categories))
    counts[leaf_nodes] = [np.bincount(g.astype(int), minlength=n_categories) for g in groups]
    totals = _add_up(counts, parent)
    root = totals[0] / totals[0].sum()
    of_branch = shrink(totals[branch], root)
    return Shares(np.round(shrink(counts[leaf_nodes], of_branch), DECIMALS))
