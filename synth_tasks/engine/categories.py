"""Drawing categories from probabilities."""

from __future__ import annotations

import numpy as np


def draw_categories(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one category for each row.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_levels)
        Each row sums to one.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_rows,)
        Column numbers.
    """
    cumulative = np.cumsum(probabilities, axis=1)
    # The last sum may fall short of one by rounding; scaling keeps every draw inside the table.
    u = rng.random(len(probabilities))[:, None] * cumulative[:, -1:]
    return (u >= cumulative[:, :-1]).sum(axis=1)
