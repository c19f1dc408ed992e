"""Random forests: a value observed for someone in the same leaf of some tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from synth_tasks.engine.methods.forest_columns import ForestColumns
from synth_tasks.engine.registry import Context, method, require_whole
from synth_tasks.engine.tree import LeafDonors


@dataclass(frozen=True)
class RfOptions:
    """Options of rf.

    Parameters
    ----------
    ntree : int, default 10
        Number of trees.
    minbucket : int, default 5
        Least number of bootstrapped rows in a leaf.
    """

    ntree: int = 10
    minbucket: int = 5

    def __post_init__(self) -> None:
        require_whole("rf.ntree", self.ntree, least=1)
        require_whole("rf.minbucket", self.minbucket, least=1)


@dataclass(frozen=True)
class Forest:
    """Training rows, on which every draw grows its own trees: their sampling is the uncertainty."""

    y: np.ndarray
    x: np.ndarray
    context: Context

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Grow trees; pool the donors of a row's leaves over the trees and draw one of them."""
        if self.x.shape[1] == 0:
            return self.y[rng.integers(len(self.y), size=len(x))]
        forest, columns = self._grow(int(rng.integers(2**31)))
        training = forest.apply(columns.matrix(self.x))
        targets = forest.apply(columns.matrix(x))
        leaf_donors = [
            LeafDonors.collect(self.y, leaves, tree.tree_.node_count)
            for leaves, tree in zip(training.T, forest.estimators_, strict=True)
        ]
        # A tree is chosen by the size of the row's leaf in it, which pools the donors of all trees.
        sizes = np.column_stack([d.size[t] for d, t in zip(leaf_donors, targets.T, strict=True)])
        bounds = sizes.cumsum(axis=1)
        u = rng.random(len(x)) * bounds[:, -1]
        chosen = (u[:, None] >= bounds[:, :-1]).sum(axis=1)
        drawn = np.empty(len(x))
        for number, donors in enumerate(leaf_donors):
            rows = chosen == number
            drawn[rows] = donors.draw(targets[rows, number], rng)
        return drawn

    def _grow(
        self, random_state: int
    ) -> tuple[RandomForestRegressor | RandomForestClassifier, ForestColumns]:
        options: RfOptions = self.context.options
        categorical = self.context.target.is_categorical
        codes = self.y.astype(int)
        response = np.eye(codes.max() + 1)[codes] if categorical else self.y[:, None]
        columns = ForestColumns.learn(self.x, response, self.context.predictors)
        grow = RandomForestClassifier if categorical else RandomForestRegressor
        forest = grow(
            n_estimators=options.ntree,
            min_samples_leaf=options.minbucket,
            max_features="sqrt" if categorical else max(1, self.x.shape[1] // 3),
            random_state=random_state,
        )
        return forest.fit(columns.matrix(self.x), codes if categorical else self.y), columns


@method("rf", options=RfOptions, draws_parameters=True, donors=True)
def fit_rf(y: np.ndarray, x: np.ndarray, context: Context) -> Forest:
    """Keep the training rows.

    References
    ----------
    Doove, van Buuren & Dusseldorp (2014). Recursive partitioning for missing data imputation in the
    presence of interaction effects. Computational Statistics & Data Analysis 72, 92-104.
    """
    return Forest(y, x, context)
