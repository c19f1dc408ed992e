"""Density ratios by unconstrained least squares, for many labellings of the same rows at once.

The relative density ratio r(x) = p_synthetic(x) / p_both(x), where p_both is the density of the rows of
both tables, lies between 0 and 1 / c, with c the share of synthetic rows, wherever there are rows at
all. It is modelled as 1 + sum_l alpha_l k_l(x) with Gaussian kernels k_l of mean 0. The squared error
E_both[(r - r*)²] / 2 plus lambda |alpha|² / 2 is least at

    alpha = (H + lambda I)^-1 h        H = mean over all rows of k(x) k(x)'
                                       h = mean over synthetic rows of k(x)

which is the ridge regression of (1 if synthetic, else 0) / c - 1 on the kernels, so that the error of
leaving out one row has a closed form. It chooses the bandwidth of the kernels and lambda.

References
----------
Kanamori, Hido & Sugiyama (2009). A least-squares approach to direct importance estimation. Journal of
Machine Learning Research 10, 1391-1445 (uLSIF).
Yamada, Suzuki, Kanamori, Hachiya & Sugiyama (2013). Relative density-ratio estimation for robust
distribution comparison. Neural Computation 25, 1324-1370 (the denominator of both tables).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Directions in which the kernels vary less than this share of their strongest one carry no information.
NEGLIGIBLE = 1e-10


@dataclass(frozen=True)
class KernelBasis:
    """Kernels in orthogonal coordinates.

    Parameters
    ----------
    directions : ndarray of shape (n_rows, rank)
        Orthonormal columns of mean 0.
    strengths : ndarray of shape (rank,)
        Eigenvalues of H.
    """

    directions: np.ndarray
    strengths: np.ndarray

    @classmethod
    def of(cls, kernels: np.ndarray) -> KernelBasis:
        """Decompose kernel values, an array of shape (n_rows, b)."""
        centred = kernels - kernels.mean(axis=0)
        strengths, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
        kept = strengths > NEGLIGIBLE * max(float(strengths[-1]), NEGLIGIBLE)
        strengths = strengths[kept]
        directions = centred @ vectors[:, kept] / np.sqrt(len(centred) * strengths)
        return cls(directions, strengths)


def gaussian_kernels(x: np.ndarray, centres: np.ndarray, sigma: float) -> np.ndarray:
    """Compute exp(-|x - c|² / 2 sigma²).

    Parameters
    ----------
    x : ndarray of shape (n_rows, q)
        Points.
    centres : ndarray of shape (b, q)
        Centres of the kernels.
    sigma : float
        Bandwidth, positive.

    Returns
    -------
    ndarray of shape (n_rows, b)
    """
    return np.exp(squared_distances(x, centres) / (-2 * sigma**2))


def squared_distances(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Compute squared Euclidean distances, an array of shape (n_rows, b)."""
    product = x @ centres.T
    distances = (x**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1) - 2 * product
    return np.maximum(distances, 0.0)


def fit_excess(
    bases: Sequence[KernelBasis], is_synthetic: np.ndarray, ridges: Sequence[float]
) -> np.ndarray:
    """Fit r - 1 for each labelling, with the bandwidth and ridge that predict left-out rows best.

    Parameters
    ----------
    bases : sequence of KernelBasis
        One for each bandwidth.
    is_synthetic : ndarray of bool of shape (n_rows, n_labellings)
        Which rows are synthetic; each labelling has as many of them, and some that are not.
    ridges : sequence of float
        Values of lambda to choose from, all positive.

    Returns
    -------
    ndarray of shape (n_rows, n_labellings)
        r - 1 at all rows, as fitted: not cut at its bounds.
    """
    targets = is_synthetic / is_synthetic[:, 0].mean() - 1.0
    best = np.full(targets.shape[1], np.inf)
    excess = np.zeros_like(targets)
    for basis in bases:
        loadings = basis.directions.T @ targets
        for ridge in ridges:
            shrinkage = basis.strengths / (basis.strengths + ridge)
            fitted = basis.directions @ (shrinkage[:, None] * loadings)
            errors = left_out_errors(basis, shrinkage, targets - fitted)
            better = errors < best
            excess[:, better] = fitted[:, better]
            best[better] = errors[better]
    return excess


def left_out_errors(basis: KernelBasis, shrinkage: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """Return the mean squared error of predicting each row from the others.

    Parameters
    ----------
    basis : KernelBasis
        The kernels.
    shrinkage : ndarray of shape (rank,)
        By how much each direction is shrunk.
    residuals : ndarray of shape (n_rows, n_labellings)
        Of the fit to all rows.

    Returns
    -------
    ndarray of shape (n_labellings,)
        With the centres of the kernels and the constant kept as they are.
    """
    leverage = basis.directions**2 @ shrinkage
    return ((residuals / (1.0 - leverage)[:, None]) ** 2).mean(axis=0)


def pearson_divergence(excess: np.ndarray) -> np.ndarray:
    """Return E_both[(r - 1)²] / 2 for each column of an array of shape (n_rows, n_labellings)."""
    return (excess**2).mean(axis=0) / 2
