"""Category shares: what is kept of donors that are categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.categories import draw_categories

PRIOR_ROWS = 0.5
DECIMALS = 4


@dataclass(frozen=True)
class Shares:
    """Shares of the categories in some groups.

    Parameters
    ----------
    shares : ndarray of shape (n_groups, n_categories)
        Each row sums to one but for rounding.
    """

    shares: np.ndarray

    @classmethod
    def margin(cls, codes: np.ndarray, n_categories: int) -> Shares:
        """Return the shares in one group, rounded; a category that occurs keeps a share."""
        count = np.bincount(codes.astype(int), minlength=n_categories)
        shares = np.round(count / count.sum(), DECIMALS)
        return cls(np.where(count > 0, np.maximum(shares, 10.0**-DECIMALS), 0.0)[None, :])

    def draw(self, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one category from each group named, independently."""
        return draw_categories(self.shares[groups], rng).astype(float)


def shrink(counts: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return shares after half a row was added to each group, spread like a larger group.

    Parameters
    ----------
    counts : ndarray of shape (n_groups, n_categories)
        Rows of each category.
    target : ndarray of shape (n_groups, n_categories) or (n_categories,)
        Shares in the larger group.

    Returns
    -------
    ndarray of shape (n_groups, n_categories)
        Rows sum to one. No category that occurs in the larger group has share zero.
    """
    n_rows = counts.sum(axis=1, keepdims=True)
    return (counts + PRIOR_ROWS * target) / (n_rows + PRIOR_ROWS)
