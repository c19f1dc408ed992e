"""Bandwidths of Gaussian kernel density estimates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.optimize import brentq

MIN_BINS = 2**13
MAX_BINS = 2**20
BINS_PER_BANDWIDTH = 50
REACH = 10.0  # standard deviations beyond which the kernel is nil
WIDENINGS = 1.2 ** np.arange(20)


def silverman(values: np.ndarray) -> float:
    """Return Silverman's rule of thumb, 0.9 min(s, IQR / 1.34) n^(-1/5).

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Numbers without missing values.

    Returns
    -------
    float
        In the unit of the values; 0 if they are all equal. Where the interquartile range is 0, the
        standard deviation s counts alone.

    References
    ----------
    Silverman (1986). Density Estimation for Statistics and Data Analysis, eq. 3.31.
    """
    spread = _spread(values, 1.34)
    if spread == 0.0 and len(values) > 1:
        spread = float(values.std(ddof=1))
    return 0.9 * spread * len(values) ** -0.2


def sheather_jones(values: np.ndarray) -> float:
    """Return the solve-the-equation bandwidth of Sheather and Jones.

    It estimates the roughness of the second derivative of the density, with a pilot bandwidth that
    depends on the bandwidth sought. Pairwise distances are binned.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Numbers without missing values.

    Returns
    -------
    float
        In the unit of the values. Silverman's rule if there are fewer than three distinct values,
        if the interquartile range is 0, or if the root is not within a factor of 300 of what a normal
        density needs. The latter happens when few values are shared by very many rows, where the
        root tends to 0.

    References
    ----------
    Sheather & Jones (1991). A reliable data-based bandwidth selection method for kernel density
    estimation. Journal of the Royal Statistical Society B 53, 683-690.
    """
    scale = _spread(values, 1.349)
    if scale == 0.0 or len(np.unique(values)) < 3:
        return silverman(values)
    n = len(values)
    centred = (values - np.median(values)) / scale
    distances = _Distances.count(centred, n**-0.2 / BINS_PER_BANDWIDTH)
    fourth = distances.roughness(4, 1.24 * n ** (-1 / 7))
    sixth = distances.roughness(6, 1.23 * n ** (-1 / 9))
    pilot = 1.357 * (fourth / sixth) ** (1 / 7)

    def excess(h: float) -> float:
        # Positive, since the derivatives of even order of the kernel are definite.
        roughness = distances.roughness(4, pilot * h ** (5 / 7))
        return (2 * math.sqrt(math.pi) * n * roughness) ** -0.2 - h

    largest = 1.144 * n**-0.2
    for widening in WIDENINGS:
        lower, upper = 0.1 * largest / widening, largest * widening
        if excess(lower) * excess(upper) <= 0.0:
            return scale * float(brentq(excess, lower, upper, rtol=1e-6))
    return silverman(values)


def _spread(values: np.ndarray, normal_iqr: float) -> float:
    """Return the smaller of the standard deviation and the scaled interquartile range."""
    if len(values) < 2:
        return 0.0
    quartiles = np.quantile(values, [0.25, 0.75])
    return float(min(values.std(ddof=1), (quartiles[1] - quartiles[0]) / normal_iqr))


@dataclass(frozen=True)
class _Distances:
    """How many pairs of rows lie 0, 1, 2, ... bins apart.

    Parameters
    ----------
    width : float
        Of a bin.
    pairs : ndarray of shape (n_bins,)
        Unordered pairs of different rows.
    n : int
        Number of rows.
    """

    width: float
    pairs: np.ndarray
    n: int

    @classmethod
    def count(cls, values: np.ndarray, width: float) -> _Distances:
        """Bin centred values and count the pairs as the autocorrelation of the bins."""
        # Farther out the density is so low that pairs do not matter.
        near = values[np.abs(values) < width * MAX_BINS / 2]
        span = float(np.ptp(near))
        n_bins = max(math.ceil(span / width), MIN_BINS)
        width = 1.01 * span / n_bins
        counts = np.bincount(((near - near.min()) / width).astype(int), minlength=n_bins)
        size = next_fast_len(2 * n_bins, real=True)
        pairs = np.rint(irfft(np.abs(rfft(counts, size)) ** 2, size)[:n_bins])
        pairs[0] = (pairs[0] - len(near)) / 2
        return cls(width, pairs, len(values))

    def roughness(self, order: int, bandwidth: float) -> float:
        """Estimate the squared derivative of order 2 or 3, integrated: ±E of the 4th or 6th one."""
        size = min(len(self.pairs), math.ceil(REACH * bandwidth / self.width) + 1)
        square = (np.arange(size) * (self.width / bandwidth)) ** 2
        if order == 4:
            kernel, diagonal = (square - 6) * square + 3, 3.0
        else:
            kernel, diagonal = ((15 - square) * square - 45) * square + 15, 15.0
        total = 2 * float((kernel * np.exp(-square / 2)) @ self.pairs[:size]) + self.n * diagonal
        volume = self.n * (self.n - 1) * bandwidth ** (order + 1) * math.sqrt(2 * math.pi)
        return total / volume
