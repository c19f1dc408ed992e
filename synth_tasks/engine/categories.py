"""Drawing categories from probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OneLevel:
    """The only category that occurs: nothing speaks for another one."""

    level: float

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the category for every row."""
        return np.full(len(x), self.level)


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
