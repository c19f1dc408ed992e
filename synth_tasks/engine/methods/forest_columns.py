"""Predictors for forests: numbers in single precision, nominal categories in a useful order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Kind, Variable


@dataclass(frozen=True)
class ForestColumns:
    """Predictors as the trees of scikit-learn see them.

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
    ) -> ForestColumns:
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
