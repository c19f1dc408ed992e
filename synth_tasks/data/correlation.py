"""Correlations of all pairs of columns, over the rows in which both have a value.

With x zero where missing and w the 0/1 matrix of observed cells, all sums over complete rows are
products of matrices: of x_i by x'w, of x_i² by (x²)'w, of x_i x_j by x'x. They are added up over blocks
of rows, so that of a wide table no second copy is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Variance below this, of variables scaled to variance 1, is rounding error.
NO_VARIANCE = 1e-12
BLOCK_CELLS = 4_000_000


@dataclass(frozen=True)
class PairSums:
    """Sums over the rows in which two columns have a value, columns centred and scaled.

    Parameters
    ----------
    counts : ndarray of shape (p, p)
        Number of rows with i and j.
    sums : ndarray of shape (p, p)
        Of column i over the rows with j; of those with i alone on the diagonal, which is 0.
    squares : ndarray of shape (p, p)
        Of the squares of i over the rows with j.
    products : ndarray of shape (p, p)
        Of i times j.
    """

    counts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray) -> PairSums:
        """Add up a matrix of shape (n, p), which may hold NaN."""
        n_rows, n_columns = matrix.shape
        centre, scale = _centre_and_scale(matrix)
        total = cls(*np.zeros((4, n_columns, n_columns)))
        step = max(1, BLOCK_CELLS // max(1, n_columns))
        for first in range(0, n_rows, step):
            total += cls.of_scaled((matrix[first : first + step] - centre) / scale)
        return total

    @classmethod
    def of_scaled(cls, matrix: np.ndarray) -> PairSums:
        """Add up rows whose columns are near 0 and of size 1, or digits are lost; NaN is missing."""
        observed = ~np.isnan(matrix)
        w, x = observed.astype(float), np.where(observed, matrix, 0.0)
        return cls(w.T @ w, x.T @ w, (x**2).T @ w, x.T @ x)

    def __add__(self, other: PairSums) -> PairSums:
        """Join the sums of two parts of a table, scaled alike."""
        return PairSums(
            self.counts + other.counts,
            self.sums + other.sums,
            self.squares + other.squares,
            self.products + other.products,
        )

    @property
    def correlations(self) -> np.ndarray:
        """Correlations of shape (p, p), within [-1, 1]; 0 where a column does not vary."""
        size = np.maximum(self.counts, 1)
        means = self.sums / size
        variances = self.squares / size - means**2
        covariances = self.products / size - means * means.T
        varies = (variances > NO_VARIANCE) & (variances.T > NO_VARIANCE)
        scale = np.sqrt(np.where(varies, variances * variances.T, 1.0))
        correlations = np.where(varies, covariances / scale, 0.0)
        return np.asarray(np.clip(correlations, -1.0, 1.0))

    @property
    def with_observed(self) -> np.ndarray:
        """Correlations of column i with the indicator that j has a value, over the rows with i."""
        own = np.maximum(np.diag(self.counts), 1)[:, None]
        share = self.counts / own
        deviation = np.sqrt(np.diag(self.squares)[:, None] / own * share * (1 - share))
        varies = deviation > np.sqrt(NO_VARIANCE)
        found = np.where(varies, self.sums / own / np.where(varies, deviation, 1.0), 0.0)
        return np.asarray(np.clip(found, -1.0, 1.0))


def _centre_and_scale(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of each column; differences of sums keep their digits that way."""
    centre, scale = np.zeros(matrix.shape[1]), np.ones(matrix.shape[1])
    for j, column in enumerate(matrix.T):
        values = column[~np.isnan(column)]
        if len(values):
            centre[j] = values.mean()
            deviation = np.sqrt(((values - centre[j]) ** 2).mean())
            scale[j] = deviation if deviation > 0 else 1.0
    return centre, scale
