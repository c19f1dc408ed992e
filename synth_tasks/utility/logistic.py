"""Logistic regression of a table's origin on many columns.

Under the null hypothesis all propensities equal the share c of synthetic rows, and the information is
c (1 - c) X'X. In coordinates in which X'X is the identity the likelihood is then as good as round, and
a quasi-Newton method needs a few passes over the rows where Newton's method needs a product of matrices
for each of its steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack, solve_triangular
from scipy.optimize import minimize
from scipy.special import expit

# Columns whose rest after regression on the others has less than this share of their variance.
DEPENDENT = 1e-10
# Keeps coefficients finite where a column occurs in one table only; per row, on the scale of `gamma`.
RIDGE = 1e-7
MAX_ITERATIONS = 500
GRADIENT_TOLERANCE = 1e-7


@dataclass(frozen=True)
class Propensities:
    """A fitted logistic regression.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        Fitted probabilities of being synthetic.
    n_parameters : int
        Linearly independent columns, the intercept among them.
    """

    scores: np.ndarray
    n_parameters: int


def fit_propensities(design: np.ndarray, is_synthetic: np.ndarray) -> Propensities:
    """Fit by maximum likelihood.

    Parameters
    ----------
    design : ndarray of shape (n_rows, n_columns)
        The first column is the intercept.
    is_synthetic : ndarray of bool of shape (n_rows,)
        Outcome; both values occur.

    Returns
    -------
    Propensities
    """
    n_rows = len(design)
    kept, root = _independent(design)
    columns = design if len(kept) == design.shape[1] else np.asfortranarray(design[:, kept])
    y = is_synthetic.astype(float)
    share = y.mean()

    def loss(gamma: np.ndarray) -> tuple[float, np.ndarray]:
        eta = columns @ solve_triangular(root, gamma)
        value = float(np.logaddexp(0.0, eta).sum() - eta @ y) / n_rows
        gradient = solve_triangular(root, columns.T @ (expit(eta) - y), trans="T") / n_rows
        return value + RIDGE / 2 * float(gamma @ gamma), gradient + RIDGE * gamma

    # The intercept comes first, so that the share alone is the start.
    start = np.zeros(len(kept))
    start[0] = root[0, 0] * np.log(share / (1 - share))
    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MAX_ITERATIONS, "gtol": GRADIENT_TOLERANCE, "ftol": 1e-14},
    )
    return Propensities(expit(columns @ solve_triangular(root, found.x)), len(kept))


def _independent(design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return linearly independent columns, and the upper root of their mean cross-product.

    Cholesky's decomposition takes, behind the intercept, the column of which most is left.
    """
    cross = design.T @ design / len(design)
    covariance = cross[1:, 1:] - np.outer(cross[0, 1:], cross[0, 1:])
    varies = np.flatnonzero(np.diag(covariance) > DEPENDENT * np.diag(cross)[1:])
    scale = np.sqrt(np.diag(covariance)[varies])
    correlations = covariance[np.ix_(varies, varies)] / np.outer(scale, scale)
    kept = np.zeros(1, dtype=int)
    if len(varies):
        _, pivots, rank, _ = lapack.dpstrf(correlations, tol=DEPENDENT)
        kept = np.append(0, np.sort(varies[pivots[:rank] - 1]) + 1)
    return kept, np.linalg.cholesky(cross[np.ix_(kept, kept)]).T
