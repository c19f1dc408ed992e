"""Training values side by side by the group they belong to; a draw is one look-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LeafDonors:
    """Training values sorted by the group they fall in, such as a leaf.

    Parameters
    ----------
    donors : ndarray of shape (n_rows,)
        Values, those of one group side by side.
    start, size : ndarray of shape (n_groups,)
        Where the values of each group begin, and how many there are; 0 for a group without values, as
        the inner nodes of a tree.
    """

    donors: np.ndarray
    start: np.ndarray
    size: np.ndarray

    @classmethod
    def collect(cls, values: np.ndarray, groups: np.ndarray, n_groups: int) -> LeafDonors:
        """Sort values by the number of their group."""
        order = np.argsort(groups, kind="stable")
        size = np.bincount(groups, minlength=n_groups)
        return cls(values[order], np.cumsum(size) - size, size)

    def draw(self, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one donor from each group named, uniformly and independently."""
        size = self.size[groups]
        offset = np.minimum((rng.random(len(groups)) * size).astype(int), size - 1)
        return self.donors[self.start[groups] + offset]
