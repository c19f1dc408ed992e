"""Trees whose leaves hold donors.

A tree is grown on the training rows by scikit-learn: least squares for numbers, Gini impurity for
categories, and the stopping rule uses the same impurity. The donors are kept sorted by leaf, so a draw
is one look-up: ``donors[start + floor(u * size)]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from synth_tasks.data import Kind, Variable


@dataclass(frozen=True)
class LeafDonors:
    """Training values sorted by the leaf they fall in.

    Parameters
    ----------
    donors : ndarray of shape (n_rows,)
        Values, those of one leaf side by side.
    start, size : ndarray of shape (n_nodes,)
        Where the values of each leaf begin, and how many there are; 0 for inner nodes.
    """

    donors: np.ndarray
    start: np.ndarray
    size: np.ndarray

    @classmethod
    def collect(cls, values: np.ndarray, leaves: np.ndarray, n_nodes: int) -> LeafDonors:
        """Sort values by leaf number."""
        order = np.argsort(leaves, kind="stable")
        size = np.bincount(leaves, minlength=n_nodes)
        return cls(values[order], np.cumsum(size) - size, size)

    def draw(self, leaves: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one donor from each leaf named, uniformly and independently."""
        size = self.size[leaves]
        offset = np.minimum((rng.random(len(leaves)) * size).astype(int), size - 1)
        return self.donors[self.start[leaves] + offset]


@dataclass(frozen=True)
class TreeColumns:
    """Predictors as a tree sees them.

    Numbers are standardised, so that the single precision of the trees does not merge large values
    such as dates. Nominal categories are put in the order of their mean response, or of the first
    principal component of their response shares, which is where the best binary split
    of the root lies.

    Parameters
    ----------
    center, scale : ndarray of shape (n_predictors,)
        Mean and standard deviation in the training rows; 0 and 1 for categories.
    ranks : mapping of int to ndarray
        Position of each category, for the columns of nominal predictors.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984). Classification and Regression Trees, section 4.2.
    Coppersmith, Hong & Hosking (1999). Partitioning nominal attributes in decision trees. Data Mining
    and Knowledge Discovery 3, 197-217.
    """

    center: np.ndarray
    scale: np.ndarray
    ranks: dict[int, np.ndarray]

    @classmethod
    def learn(
        cls, x: np.ndarray, response: np.ndarray, predictors: Sequence[Variable]
    ) -> TreeColumns:
        """Learn scales and orders from training rows; `response` has one column per dimension."""
        center, scale = np.zeros(x.shape[1]), np.ones(x.shape[1])
        ranks = {}
        for j, variable in enumerate(predictors):
            if variable.kind is Kind.NOMINAL:
                ranks[j] = _rank_levels(x[:, j].astype(int), response, len(variable.categories))
            elif not variable.is_categorical:
                center[j], scale[j] = x[:, j].mean(), x[:, j].std() or 1.0
        return cls(center, scale, ranks)

    def matrix(self, x: np.ndarray) -> np.ndarray:
        """Return the columns for any rows, in single precision."""
        columns = (x - self.center) / self.scale
        for j, rank in self.ranks.items():
            columns[:, j] = rank[x[:, j].astype(int)]
        return columns.astype(np.float32)


def _rank_levels(codes: np.ndarray, response: np.ndarray, n_levels: int) -> np.ndarray:
    count = np.bincount(codes, minlength=n_levels)
    sums = np.zeros((n_levels, response.shape[1]))
    np.add.at(sums, codes, response)
    overall = response.mean(axis=0)
    means = np.where(count[:, None] > 0, sums / np.maximum(count, 1)[:, None], overall)
    weighted = (means - overall) * np.sqrt(count)[:, None]
    _, _, directions = np.linalg.svd(weighted, full_matrices=False)
    # The sign of a singular vector is arbitrary; fix it.
    direction = directions[0] * (np.sign(directions[0][np.argmax(np.abs(directions[0]))]) or 1.0)
    score = (means - overall) @ direction
    return np.argsort(np.argsort(score, kind="stable"), kind="stable").astype(float)


@dataclass(frozen=True)
class Tree:
    """A grown tree with its donors; ``splitter`` is None if it has a root only."""

    columns: TreeColumns
    splitter: DecisionTreeRegressor | DecisionTreeClassifier | None
    leaf_donors: LeafDonors

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """Return the number of the leaf each row falls in."""
        if self.splitter is None:
            return np.zeros(len(x), dtype=int)
        return self.splitter.apply(self.columns.matrix(x), check_input=False)

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a donor from the leaf of each row."""
        return self.leaf_donors.draw(self.leaves(x), rng)


def grow_tree(
    y: np.ndarray,
    x: np.ndarray,
    predictors: Sequence[Variable],
    *,
    categorical: bool,
    minbucket: int,
    minsplit: int,
    maxdepth: int,
    cp: float,
) -> Tree:
    """Grow a tree on training rows.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Numbers, or category codes if `categorical`.
    x : ndarray of shape (n_rows, n_predictors)
        Coded predictors.
    predictors : sequence of Variable
        One per column of `x`.
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

    Returns
    -------
    Tree

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984). Classification and Regression Trees.
    """
    response = np.eye(int(y.max()) + 1)[y.astype(int)] if categorical else y[:, None]
    columns = TreeColumns.learn(x, response, predictors)
    root_impurity = float(response.var(axis=0).sum())
    if x.shape[1] == 0 or root_impurity == 0.0 or len(y) < minsplit:
        return Tree(columns, None, LeafDonors.collect(y, np.zeros(len(y), dtype=int), 1))
    # The sum of the class variances is the Gini impurity, so one scale serves both kinds.
    grow = DecisionTreeClassifier if categorical else DecisionTreeRegressor
    spread = 1.0 if categorical else np.sqrt(root_impurity)
    splitter = grow(
        min_samples_leaf=minbucket,
        min_samples_split=max(minsplit, 2),
        max_depth=maxdepth,
        min_impurity_decrease=cp * root_impurity / spread**2,
        random_state=0,  # decides between equally good splits only
    )
    matrix = columns.matrix(x)
    splitter.fit(matrix, y.astype(int) if categorical else (y - y.mean()) / spread)
    leaves = splitter.apply(matrix, check_input=False)
    return Tree(columns, splitter, LeafDonors.collect(y, leaves, splitter.tree_.node_count))
