"""Drawing categories from probabilities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.design_matrix import Design


@dataclass(frozen=True)
class OneLevel:
    """The only category that occurs: nothing speaks for another one."""

    level: float

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the category for every row."""
        return np.full(len(x), self.level)


@dataclass(frozen=True)
class LevelModel(ABC):
    """A model that gives each row the probabilities of the categories that occur.

    Parameters
    ----------
    design : Design
        Learnt on the training rows.
    levels : ndarray of shape (n_levels,)
        Codes of the categories that occur in the training rows.
    """

    design: Design
    levels: np.ndarray

    @abstractmethod
    def probabilities(self, columns: np.ndarray) -> np.ndarray:
        """Return an array of shape (n_rows, n_levels) for rows of the design matrix."""

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a category for each row."""
        return self.levels[draw_categories(self.probabilities(self.design.matrix(x)), rng)]


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
