"""The reference: sequential synthesis with scikit-learn's trees, fitted once and drawn m times.

It does what a careful user of scikit-learn would write: categories as codes, trees grown by the same
rules, donors sorted by leaf.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from synth_tasks.engine.tree import LeafDonors


def synthesize_with_sklearn(
    matrix: np.ndarray, categorical: list[bool], m: int, minbucket: int, workers: int = 1
) -> list[np.ndarray]:
    """Return m synthetic sets of encoded complete data."""
    n_rows, n_columns = matrix.shape
    single = np.asfortranarray(matrix, dtype=np.float32)

    def fit(j: int) -> tuple[object, LeafDonors]:
        y = matrix[:, j]
        kind = DecisionTreeClassifier if categorical[j] else DecisionTreeRegressor
        tree = kind(
            min_samples_leaf=minbucket,
            min_samples_split=3 * minbucket,
            max_depth=30,
            min_impurity_decrease=1e-8 * (1.0 if categorical[j] else y.var()),
            random_state=0,
        ).fit(single[:, :j], y)
        leaves = tree.apply(single[:, :j])
        return tree, LeafDonors.collect(y, leaves, tree.tree_.node_count)

    def draw(number: int) -> np.ndarray:
        rng = np.random.default_rng(number)
        drawn = np.empty(matrix.shape, order="F")
        drawn[:, 0] = rng.choice(matrix[:, 0], n_rows)
        for j, (tree, donors) in enumerate(fitted, start=1):
            leaves = tree.apply(drawn[:, :j].astype(np.float32))  # type: ignore[attr-defined]
            drawn[:, j] = donors.draw(leaves, rng)
        return drawn

    with ThreadPoolExecutor(workers) as pool:
        fitted = list(pool.map(fit, range(1, n_columns)))
        return list(pool.map(draw, range(m)))
