"""The average of several synthetic sets, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_tasks.data import Schema


def average_sets(sets: Sequence[np.ndarray], schema: Schema) -> np.ndarray:
    """Average encoded sets in equal row order, as an intruder would.

    Numeric cells hold the mean of the observed values, and are missing if more than half of the
    sets have them missing. Categorical cells hold the most frequent category, the first one of
    several; missing counts as the last category.

    Parameters
    ----------
    sets : sequence of m ndarray of shape (n, p)
        Encoded sets, m > 0.
    schema : Schema
        Description of the p columns.

    Returns
    -------
    ndarray of shape (n, p), float64
    """
    average = np.empty(sets[0].shape, order="F")
    for i, variable in enumerate(schema):
        stack = np.stack([matrix[:, i] for matrix in sets])
        average[:, i] = _mode(stack) if variable.is_categorical else _mean(stack)
    return average


def _mean(stack: np.ndarray) -> np.ndarray:
    missing = np.isnan(stack)
    observed = (~missing).sum(axis=0)
    mean = np.where(missing, 0.0, stack).sum(axis=0) / np.maximum(observed, 1)
    return np.where(2 * missing.sum(axis=0) > len(stack), np.nan, mean)


def _mode(stack: np.ndarray) -> np.ndarray:
    codes = np.sort(np.nan_to_num(stack, nan=np.inf), axis=0)
    votes = np.stack([(codes == candidate).sum(axis=0) for candidate in codes])
    winner = np.take_along_axis(codes, votes.argmax(axis=0)[None], axis=0)[0]
    return np.where(np.isinf(winner), np.nan, winner)
