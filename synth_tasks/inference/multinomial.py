"""Multinomial logistic regression by Newton's method.

For a response with levels 1, ..., K, the first of which is the reference, and predictors x::

    log P(y = k | x) / P(y = 1 | x) = x'beta_k        k = 2, ..., K

The log likelihood is concave, so Newton's method with step halving reaches its maximum wherever there
is one; there is none if the predictors separate the levels.

References
----------
Venables & Ripley (2002). Modern Applied Statistics with S, section 7.3 (`nnet::multinom`, whose order
of terms is used here).
Agresti (2013). Categorical Data Analysis, section 8.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from synth_tasks.inference.newton import invert_information, maximise


@dataclass(frozen=True, eq=False)
class MultinomialFit:
    """A fitted multinomial logistic regression.

    Parameters
    ----------
    coefficients : ndarray of shape ((n_levels - 1) p,)
        Those of the second level, then those of the third, and so on.
    covariance : ndarray of shape ((n_levels - 1) p, (n_levels - 1) p)
        Inverse of the information; NaN if the fit has not converged.
    converged : bool
        False if the likelihood has no finite maximum.
    iterations : int
        Newton steps taken.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    converged: bool
    iterations: int


def fit_multinomial(y_codes: np.ndarray, x: np.ndarray, n_levels: int) -> MultinomialFit:
    """Fit a multinomial logistic regression by maximum likelihood.

    Parameters
    ----------
    y_codes : int ndarray of shape (n,)
        Levels as 0, ..., n_levels - 1.
    x : ndarray of shape (n, p)
        Predictors of full rank, with the intercept if there is one.
    n_levels : int
        Number of levels, at least 2.

    Returns
    -------
    MultinomialFit
    """
    # Newton's equations are well scaled in orthogonal predictors whose squares have the mean 1.
    q, r = np.linalg.qr(x)
    r /= np.sqrt(len(x))
    likelihood = _Likelihood(y_codes, q * np.sqrt(len(x)), n_levels)
    start = np.zeros((n_levels - 1) * x.shape[1])
    theta, converged, iterations = maximise(likelihood, start)
    back = np.kron(np.eye(n_levels - 1), np.linalg.inv(r))
    information = likelihood.derivatives(theta)[1]
    covariance = back @ invert_information(information, converged) @ back.T
    return MultinomialFit(back @ theta, covariance, converged, iterations)


def multinomial_log_likelihood(y: np.ndarray, x: np.ndarray, estimates: np.ndarray) -> float:
    """Return the log likelihood of coefficients, in the order of `MultinomialFit`."""
    return _Likelihood(y, x, len(estimates) // x.shape[1] + 1).value(estimates)


class _Likelihood:
    """Log likelihood, score and information of the coefficients."""

    def __init__(self, y: np.ndarray, x: np.ndarray, n_levels: int) -> None:
        self.x, self.n_levels = x, n_levels
        self.y = np.eye(n_levels)[y]

    def _log_probabilities(self, theta: np.ndarray) -> np.ndarray:
        scores = self.x @ theta.reshape(self.n_levels - 1, -1).T
        scores = np.hstack([np.zeros((len(scores), 1)), scores])
        return scores - logsumexp(scores, axis=1, keepdims=True)

    def value(self, theta: np.ndarray) -> float:
        """Return the log likelihood."""
        return float((self.y * self._log_probabilities(theta)).sum())

    def derivatives(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient of shape (q,) and the negative Hessian of shape (q, q)."""
        p = np.exp(self._log_probabilities(theta))[:, 1:]
        gradient = (self.y[:, 1:] - p).T @ self.x
        levels = range(self.n_levels - 1)
        blocks = [
            [self.x.T @ (self.x * (p[:, a] * ((a == b) - p[:, b]))[:, None]) for b in levels]
            for a in levels
        ]
        return gradient.ravel(), np.block(blocks)
