"""Growing a tree on training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Kind, Variable
from synth_tasks.engine.tree.donors import LeafDonors
from synth_tasks.engine.tree.grown import Tree
from synth_tasks.engine.tree.histogram import grow_nodes
from synth_tasks.engine.tree.questions import Questions, read_nodes
from synth_tasks.engine.tree.sorting import SortedColumns, are_known
from synth_tasks.engine.tree.splits import put_thresholds
from synth_tasks.errors import PlanError

MANY_ROWS = 50_000
SMALL_NODE = 2048
MOST_CELLS = 2**26


@dataclass(frozen=True)
class Sample:
    """Training rows of a tree: rows of a table that is sorted once for all trees.

    Parameters
    ----------
    columns : SortedColumns
        The table.
    positions : sequence of int
        Columns that are predictors of this tree.
    rows : ndarray of int of shape (n_training,), optional
        Rows to train on, none twice; all if not given.
    counts : ndarray of int of shape (n_training,), optional
        How many times each of them counts, at least once, as in a bootstrap sample; once if not given.
    """

    columns: SortedColumns
    positions: Sequence[int]
    rows: np.ndarray | None = None
    counts: np.ndarray | None = None

    @classmethod
    def of(cls, x: np.ndarray, predictors: Sequence[Variable]) -> Sample:
        """Return all rows of an array of shape (n_training, n_predictors)."""
        return cls(SortedColumns(x, predictors), range(len(predictors)))

    @classmethod
    def of_rows(cls, columns: SortedColumns, positions: Sequence[int], rows: np.ndarray) -> Sample:
        """Return the rows that a mask marks, or those of the numbers given, with repetitions."""
        if rows.dtype != bool:
            return cls(columns, positions, *np.unique(rows, return_counts=True))
        return cls(columns, positions, None if rows.all() else np.flatnonzero(rows))

    def only(self, chosen: np.ndarray) -> Sample:
        """Return the training rows that an array of bool marks."""
        rows = np.flatnonzero(chosen) if self.rows is None else self.rows[chosen]
        counts = None if self.counts is None else self.counts[chosen]
        return Sample(self.columns, self.positions, rows, counts)

    @property
    def predictors(self) -> list[Variable]:
        """The variables of the predictors."""
        return [self.columns.variables[p] for p in self.positions]

    def codes(self, n_rows: int) -> np.ndarray:
        """Return the codes of the predictors, of shape (n_predictors, n_training).

        They are checked, for the compiled code reads whatever place a code names.
        """
        codes = np.empty((len(self.positions), n_rows), dtype=np.int32)
        for row, position in zip(codes, self.positions, strict=True):
            column, values = self.columns.column(position)
            row[:] = column if self.rows is None else column[self.rows]
            if not (self.columns.is_known(position) or are_known(row, values)):
                raise PlanError(
                    f"'{self.columns.variables[position].name}' has missing values, or codes that are "
                    "none of its categories, in rows that a tree is to learn from: impute it first"
                )
        return codes


def grow_tree(
    y: np.ndarray,
    sample: Sample,
    *,
    categorical: bool,
    minbucket: int,
    minsplit: int,
    maxdepth: int,
    cp: float,
    many_rows: int = MANY_ROWS,
    small_node: int = SMALL_NODE,
) -> Tree:
    """Grow a tree: least squares for numbers, Gini impurity for categories.

    Every node is split where its impurity falls most; of equally good splits the first is taken. For
    nominal predictors see `synth_tasks.engine.tree.nominal`. From `many_rows` on, nodes of more than
    `small_node` rows are split at one of 256 values of each predictor.

    Parameters
    ----------
    y : ndarray of shape (n_training,)
        Numbers, or category codes if `categorical`.
    sample : Sample
        The predictors, and how often each row counts.
    categorical : bool
        Gini impurity of classes rather than variance.
    minbucket : int
        Least number of rows in a leaf.
    minsplit : int
        Least number of rows in a node that may be split.
    maxdepth : int
        Greatest depth of a leaf; the root has depth 0.
    cp : float
        A split must lower the impurity of the whole by at least this share of the root's.
    many_rows : int, default 50,000
        See above.
    small_node : int, default 2048
        See above.

    Returns
    -------
    Tree

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984). Classification and Regression Trees.
    """
    n_levels = np.array(
        [len(v.categories) if v.kind is Kind.NOMINAL else 0 for v in sample.predictors],
        dtype=np.int32,
    )
    weights = np.ones(len(y)) if sample.counts is None else sample.counts.astype(float)
    total = float(weights.sum())
    if categorical:
        response, classes, n_classes = np.zeros(len(y)), y.astype(np.int32), int(y.max()) + 1
        shares = np.bincount(classes, weights) / total
        impurity = total * (1.0 - float(shares @ shares))
        _require_room(n_levels, n_classes, sample)
    else:
        # Centred, the sums keep their digits where the mean is far from zero, as for dates.
        response = y - float(weights @ y) / total
        classes, n_classes = np.zeros(len(y), dtype=np.int32), 0
        impurity = float(weights @ response**2)
    nodes, levels, order = grow_nodes(
        sample.codes(len(y)),
        n_levels,
        response,
        classes,
        weights,
        n_classes,
        float(minbucket),
        float(minsplit),
        maxdepth,
        cp * impurity,
        2 * max(1, min(len(y), int(total) // minbucket)),
        small_node if len(y) >= many_rows else len(y),
    )
    feature, right, first_level, end_level, start, size = read_nodes(nodes, n_levels)
    thresholds = _thresholds(nodes, n_levels, sample)
    counts = None if sample.counts is None else sample.counts[order]
    return Tree(
        Questions(feature, thresholds, right, first_level, end_level, levels),
        _donors(y[order], counts, start, size),
        np.array([sample.columns.spread(p) for p in sample.positions]),
    )


def _require_room(n_levels: np.ndarray, n_classes: int, sample: Sample) -> None:
    """Refuse a table of levels and classes that would not fit into memory."""
    if len(n_levels) and int(n_levels.max()) * n_classes > MOST_CELLS:
        widest = sample.predictors[int(n_levels.argmax())].name
        raise PlanError(
            f"'{widest}' has {int(n_levels.max())} categories, too many to predict {n_classes} others "
            f"by a tree: merge categories, or set '{widest}' to 0 in predictor_matrix"
        )


def _thresholds(nodes: np.ndarray, n_levels: np.ndarray, sample: Sample) -> np.ndarray:
    """Return the thresholds of the nodes that ask for an ordered predictor; 0 for the others."""
    thresholds = np.zeros(len(nodes))
    for f, position in enumerate(sample.positions):
        if not n_levels[f]:
            _, values = sample.columns.column(position)
            put_thresholds(nodes, f, values, thresholds)
    return thresholds


def _donors(
    values: np.ndarray, counts: np.ndarray | None, start: np.ndarray, size: np.ndarray
) -> LeafDonors:
    """Repeat the donors that count several times."""
    if counts is None:
        return LeafDonors(values, start, size)
    ends = np.concatenate([[0], np.cumsum(counts)])
    return LeafDonors(np.repeat(values, counts), ends[start], ends[start + size] - ends[start])
