"""Support of extremes: no released minimum or maximum stands for fewer than k people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TailSupport:
    """Where the tails of a variable begin, and the one value each of them is replaced by.

    Parameters
    ----------
    lower_limit, lower_value : float
        Values up to the limit become the value.
    upper_limit, upper_value : float
        Values from the limit on become the value.
    """

    lower_limit: float
    lower_value: float
    upper_limit: float
    upper_value: float

    @classmethod
    def learn(cls, y: np.ndarray, k: int) -> TailSupport:
        """Find the tails of the training values.

        The upper tail is made of the k largest values and what is tied with them; it is replaced by
        its mean, so that the mean of the margin stays. If k or more rows share the k-th largest
        value, that value has its support already: it is kept, and the fewer than k rows beyond it
        are recoded to it. The lower tail is the mirror image. If the tails overlap, as they do for
        fewer than 2k rows without ties, all values become the overall mean, the value with the most
        support there can be.

        Parameters
        ----------
        y : ndarray of shape (n_rows,)
            Training values, at least one, none missing.
        k : int
            Least number of rows behind the smallest and the largest value; 1 changes nothing.

        Returns
        -------
        TailSupport
        """
        last = min(k, len(y)) - 1
        lower = float(np.partition(y, last)[last])
        upper = -float(np.partition(-y, last)[last])
        lower_value, upper_value = (
            _support(y, lower, y <= lower, k),
            _support(y, upper, y >= upper, k),
        )
        overlap = lower > upper or (lower == upper and upper_value != upper)
        if overlap:
            mean = _mean(y)
            return cls(mean, mean, mean, mean)
        return cls(lower, lower_value, upper, upper_value)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Replace drawn values that lie in a tail; any shape, none missing."""
        raised = np.where(values <= self.lower_limit, self.lower_value, values)
        return np.where(values >= self.upper_limit, self.upper_value, raised)


def _support(y: np.ndarray, limit: float, tail: np.ndarray, k: int) -> float:
    """Return what a tail is replaced by: its limit if k rows share it, else its mean."""
    return limit if np.count_nonzero(y == limit) >= k else _mean(y[tail])


def _mean(values: np.ndarray) -> float:
    """Return the mean, exactly the common value if there is one."""
    return float(np.clip(values.mean(), values.min(), values.max()))
