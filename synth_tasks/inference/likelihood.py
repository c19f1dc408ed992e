"""The likelihood of a fitted regression, for values of its terms other than the estimates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# What a least-squares fit may leave of a column that lies in the span of others.
SPAN_TOLERANCE = 1e-7


@dataclass(frozen=True, eq=False, repr=False)
class Likelihood:
    """A log likelihood with the data that it needs; it is not printed, for these are confidential.

    Parameters
    ----------
    compute : callable
        Takes response, predictors and values of the terms, returns the log likelihood. What is no term,
        such as a residual variance, is where it is most likely given the terms.
    y : ndarray of shape (n,)
        The response; codes 0, 1, ... of categories.
    x : ndarray of shape (n, p)
        The predictors.
    intercepts_apart : bool
        Whether the model has intercepts that are no column of `x`.
    """

    compute: Callable[[np.ndarray, np.ndarray, np.ndarray], float]
    y: np.ndarray
    x: np.ndarray
    intercepts_apart: bool = False

    def __call__(self, estimates: np.ndarray) -> float:
        """Return the log likelihood of values of the terms, an array of shape (k,)."""
        return float(self.compute(self.y, self.x, estimates))

    def contains(self, smaller: Likelihood) -> bool:
        """Whether another model of the same response is this one with restrictions.

        Its predictors then lie in the span of those of this one.
        """
        if self.compute != smaller.compute or not np.array_equal(self.y, smaller.y):
            return False
        wide, narrow = self._columns(), smaller._columns()
        left = narrow - wide @ np.linalg.lstsq(wide, narrow, rcond=None)[0]
        lengths = np.linalg.norm(narrow, axis=0)
        return bool((np.linalg.norm(left, axis=0) <= SPAN_TOLERANCE * lengths).all())

    def _columns(self) -> np.ndarray:
        ones = np.ones((len(self.x), int(self.intercepts_apart)))
        return np.hstack([ones, self.x])
