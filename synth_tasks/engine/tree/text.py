"""Drawing a tree as text, to look at what a model has learnt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_tasks.data import Variable
from synth_tasks.engine.tree.grown import Tree
from synth_tasks.engine.tree.questions import LEAF, Questions

MOST_NAMES = 6


def tree_as_text(
    tree: Tree, target: Variable, predictors: Sequence[Variable], maxdepth: int = 5
) -> str:
    """Draw a tree, one line a node: CONFIDENTIAL, for it tells values of the data.

    Parameters
    ----------
    tree : Tree
        A grown tree.
    target : Variable
        What it predicts.
    predictors : sequence of Variable
        What it was grown on.
    maxdepth : int, default 5
        Deeper parts are summed up in one line.

    Returns
    -------
    str
        The condition of each node, its number of training rows, and their mean, or the shares of the
        categories.
    """
    first, end = _donor_ranges(tree)
    lines: list[str] = []
    pending = [(0, 0, "all rows")]
    while pending:
        node, depth, condition = pending.pop()
        donors = tree.leaf_donors.donors[first[node] : end[node]]
        line = f"{'|   ' * depth}{condition}: {len(donors)} rows, {_describe(donors, target)}"
        is_leaf = tree.questions.feature[node] == LEAF
        lines.append(line + ("" if is_leaf or depth < maxdepth else " ..."))
        if not is_leaf and depth < maxdepth:
            yes, no = _conditions(tree.questions, node, predictors)
            pending.append((int(tree.questions.right[node]), depth + 1, no))
            pending.append((node + 1, depth + 1, yes))
    return "\n".join(lines)


def _donor_ranges(tree: Tree) -> tuple[np.ndarray, np.ndarray]:
    """Return where the donors below each node begin and end: leaves lie in the order of the nodes."""
    donors, right = tree.leaf_donors, tree.questions.right
    first, end = donors.start.copy(), donors.start + donors.size
    for node in range(len(right) - 1, -1, -1):
        if right[node] != LEAF:
            first[node], end[node] = first[node + 1], end[right[node]]
    return first, end


def _conditions(questions: Questions, node: int, predictors: Sequence[Variable]) -> tuple[str, str]:
    """Return what holds on the left and on the right."""
    variable = predictors[int(questions.feature[node])]
    threshold = float(questions.threshold[node])
    first, end = questions.first_level[node], questions.end_level[node]
    if first < end:
        names = [str(variable.categories[level]) for level in questions.levels[first:end]]
        more = f", {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        listed = ", ".join(names[:MOST_NAMES]) + more
        return f"{variable.name} in {{{listed}}}", f"{variable.name} in others"
    if variable.is_categorical:
        last = variable.categories[int(threshold)]
        return f"{variable.name} up to {last}", f"{variable.name} beyond {last}"
    return f"{variable.name} <= {threshold:.6g}", f"{variable.name} > {threshold:.6g}"


def _describe(donors: np.ndarray, target: Variable) -> str:
    if not target.is_categorical:
        return f"mean {donors.mean():.6g}"
    counts = np.bincount(donors.astype(int), minlength=len(target.categories))
    often = np.argsort(-counts, kind="stable")[:3]
    shares = [f"{target.categories[c]} {counts[c] / len(donors):.0%}" for c in often if counts[c]]
    return ", ".join(shares)
