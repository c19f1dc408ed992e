"""Proportional-odds logistic regression by Newton's method.

For a response with ordered levels 1, ..., K and predictors x::

    logit P(y <= k | x) = zeta_k - x'beta        k = 1, ..., K - 1

With u = zeta_y - x'beta, l = zeta_(y-1) - x'beta and d = u - l, the log-likelihood of a row is
written without cancellation as::

    log P(y | x) = log F(u) + log(1 - F(l)) + log(1 - exp(-d))

where F is the logistic distribution function, zeta_0 = -inf and zeta_K = inf. The function is
concave in (beta, zeta), so Newton's method with step halving reaches its maximum wherever there is
one. There is none if the predictors separate the levels; the fit then has not converged.

References
----------
McCullagh (1980). Regression models for ordinal data. JRSS B 42, 109-142.
Pratt (1981). Concavity of the log likelihood. JASA 76, 103-106.
Venables & Ripley (2002). Modern Applied Statistics with S, section 7.3 (`MASS::polr`, whose
parameterisation and order of parameters are used here).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit

from synth_tasks.errors import ModelError
from synth_tasks.inference.newton import invert_information, maximise, standardisation


@dataclass(frozen=True, eq=False)
class OrderedLogitFit:
    """A fitted proportional-odds model.

    Parameters
    ----------
    coefficients : ndarray of shape (p,)
        beta; a positive value shifts the response to higher levels.
    thresholds : ndarray of shape (n_levels - 1,)
        zeta, increasing.
    covariance : ndarray of shape (p + n_levels - 1, p + n_levels - 1)
        Inverse of the observed information, coefficients first; NaN if the fit has not converged.
    log_likelihood : float
        Weighted log-likelihood at the estimates.
    converged : bool
        False if the likelihood has no finite maximum (separated levels, collinear predictors).
    iterations : int
        Newton steps taken.
    """

    coefficients: np.ndarray
    thresholds: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    converged: bool
    iterations: int

    def predict_probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of every level.

        Parameters
        ----------
        x : ndarray of shape (n, p)
            Predictors, without an intercept.

        Returns
        -------
        ndarray of shape (n, n_levels)
            Rows sum to one.
        """
        scores = np.asarray(x, dtype=float) @ self.coefficients
        below = expit(self.thresholds[None, :] - scores[:, None])
        return np.diff(below, axis=1, prepend=0.0, append=1.0)


def fit_ordered_logit(
    y_codes: np.ndarray, x: np.ndarray, n_levels: int, weights: np.ndarray | None = None
) -> OrderedLogitFit:
    """Fit a proportional-odds model by maximum likelihood.

    Parameters
    ----------
    y_codes : int ndarray of shape (n,)
        Levels as 0, ..., n_levels - 1.
    x : ndarray of shape (n, p)
        Predictors, without an intercept; p may be 0.
    n_levels : int
        Number of levels K, at least 2.
    weights : ndarray of shape (n,), optional
        Non-negative case weights, e.g. fractions for the pseudo-rows of an augmented table.

    Returns
    -------
    OrderedLogitFit

    Raises
    ------
    ModelError
        If a level has no rows of positive weight: its threshold is then not identified.
    """
    y = np.asarray(y_codes, dtype=np.intp)
    x = np.asarray(x, dtype=float)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
    shares = _level_shares(y, w, n_levels)
    centre, scale = standardisation(x, w)
    likelihood = _Likelihood(y, (x - centre) / scale, w, n_levels)

    start = np.concatenate([np.zeros(x.shape[1]), _logit(np.cumsum(shares)[:-1])])
    theta, converged, iterations = maximise(likelihood, start)
    information = likelihood.derivatives(theta)[1]
    n_coefficients = x.shape[1]
    back = _back_transformation(centre, scale, n_levels - 1)
    estimates = back @ theta
    return OrderedLogitFit(
        coefficients=estimates[:n_coefficients],
        thresholds=estimates[n_coefficients:],
        covariance=back @ invert_information(information, converged) @ back.T,
        log_likelihood=likelihood.value(theta),
        converged=converged,
        iterations=iterations,
    )


def ordered_log_likelihood(y: np.ndarray, x: np.ndarray, estimates: np.ndarray) -> float:
    """Return the log likelihood of coefficients and thresholds, in this order."""
    n_levels = len(estimates) - x.shape[1] + 1
    return _Likelihood(y, x, np.ones(len(y)), n_levels).value(estimates)


class _Likelihood:
    """Log-likelihood, score and observed information at theta = (beta, zeta)."""

    def __init__(self, y: np.ndarray, x: np.ndarray, w: np.ndarray, n_levels: int) -> None:
        self.y, self.x, self.w, self.n_levels = y, x, w, n_levels
        self.level_weights = np.bincount(y, weights=w, minlength=n_levels)
        # Row i touches the threshold above its level and the one below it, where they exist.
        at_level = np.eye(n_levels)[y]
        self.above = at_level[:, :-1]
        self.below = at_level[:, 1:]

    def _bounds(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        beta, zeta = np.split(theta, [self.x.shape[1]])
        edges = np.concatenate([[-np.inf], zeta, [np.inf]])
        score = self.x @ beta
        return edges[self.y + 1] - score, edges[self.y] - score, np.diff(edges)

    def value(self, theta: np.ndarray) -> float:
        """Return the log-likelihood; minus infinity if the thresholds do not increase."""
        upper, lower, gaps = self._bounds(theta)
        if not (gaps > 0).all():
            return -np.inf
        rows = log_expit(upper) + log_expit(-lower)
        return float(self.w @ rows + self.level_weights @ np.log(-np.expm1(-gaps)))

    def derivatives(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient of shape (q,) and the negative Hessian of shape (q, q)."""
        upper, lower, gaps = self._bounds(theta)
        p_upper, p_lower = expit(upper), expit(lower)
        density_upper = self.w * p_upper * (1.0 - p_upper)
        density_lower = self.w * p_lower * (1.0 - p_lower)
        # First and second derivative of log(1 - exp(-d)); both vanish for the open outer levels.
        slope = self.level_weights * np.exp(-gaps) / -np.expm1(-gaps)
        curvature = slope / -np.expm1(-gaps)

        gradient = np.concatenate(
            [
                self.x.T @ (self.w * (p_upper + p_lower - 1.0)),
                self.above.T @ (self.w * (1.0 - p_upper)) + slope[:-1]
                - self.below.T @ (self.w * p_lower) - slope[1:],
            ]
        )  # fmt: skip
        at_threshold = self.above * density_upper[:, None] + self.below * density_lower[:, None]
        within = self.x.T @ (self.x * (density_upper + density_lower)[:, None])
        across = -self.x.T @ at_threshold
        between = np.diag(at_threshold.sum(axis=0) + curvature[:-1] + curvature[1:])
        inner = curvature[1:-1]
        between -= np.diag(inner, 1) + np.diag(inner, -1)
        return gradient, np.block([[within, across], [across.T, between]])


def _level_shares(y: np.ndarray, w: np.ndarray, n_levels: int) -> np.ndarray:
    if n_levels < 2:
        raise ModelError("an ordered logit needs a response with at least 2 levels")
    totals = np.bincount(y, weights=w, minlength=n_levels)
    empty = np.flatnonzero(totals <= 0)
    if len(empty):
        raise ModelError(
            f"level {empty[0] + 1} of {n_levels} of the response has no rows: "
            "merge it with a neighbour or drop it from the categories"
        )
    return totals / totals.sum()


def _back_transformation(centre: np.ndarray, scale: np.ndarray, n_thresholds: int) -> np.ndarray:
    """Return the matrix that takes (beta, zeta) of standardised x to those of x itself."""
    n_coefficients = len(scale)
    matrix = np.eye(n_coefficients + n_thresholds)
    matrix[:n_coefficients, :n_coefficients] = np.diag(1.0 / scale)
    matrix[n_coefficients:, :n_coefficients] = centre / scale
    return matrix


def _logit(p: np.ndarray) -> np.ndarray:
    return np.log(p) - np.log1p(-p)
