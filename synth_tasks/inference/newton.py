"""Newton's method with step halving, for log likelihoods that are concave."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve

MAX_ITERATIONS = 50
MAX_HALVINGS = 40
DECREMENT_TOLERANCE = 1e-10
STEP_TOLERANCE = 1e-5


class Concave(Protocol):
    """A concave function of the parameters, arrays of shape (q,)."""

    def value(self, theta: np.ndarray) -> float:
        """Return the function; minus infinity outside its domain."""
        ...

    def derivatives(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient of shape (q,) and the negative Hessian of shape (q, q)."""
        ...


def maximise(function: Concave, theta: np.ndarray) -> tuple[np.ndarray, bool, int]:
    """Climb to the maximum of a concave function.

    Parameters
    ----------
    function : Concave
        The function.
    theta : ndarray of shape (q,)
        Where to start.

    Returns
    -------
    theta : ndarray of shape (q,)
        Where the climb ended.
    converged : bool
        False if there is no finite maximum.
    iterations : int
        Steps taken.

    References
    ----------
    Boyd & Vandenberghe (2004). Convex Optimization. Cambridge University Press, section 9.5.
    """
    value = function.value(theta)
    for iteration in range(MAX_ITERATIONS):
        gradient, information = function.derivatives(theta)
        try:
            step = cho_solve(cho_factor(information), gradient)
        except (np.linalg.LinAlgError, ValueError):
            return theta, False, iteration
        # Separated levels also send the decrement to zero, but by steps that stay near one.
        small_step = float(np.abs(step).max()) < STEP_TOLERANCE
        if small_step and float(gradient @ step) < DECREMENT_TOLERANCE:
            return theta, True, iteration
        for _ in range(MAX_HALVINGS):
            candidate = theta + step
            candidate_value = function.value(candidate)
            if candidate_value >= value:
                break
            step = step / 2
        else:
            return theta, small_step, iteration
        theta, value = candidate, candidate_value
    return theta, False, MAX_ITERATIONS


def standardisation(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted means and standard deviations, which keep Newton's equations well scaled.

    Parameters
    ----------
    x : ndarray of shape (n, p)
        Predictors.
    w : ndarray of shape (n,)
        Weights.

    Returns
    -------
    centre, scale : ndarray of shape (p,)
        The scale of a constant is 1.
    """
    centre = w @ x / w.sum()
    scale = np.sqrt(w @ (x - centre) ** 2 / w.sum())
    return centre, np.where(scale > 0, scale, 1.0)


def invert_information(information: np.ndarray, converged: bool) -> np.ndarray:
    """Return the covariance of the estimates; NaN if they are none."""
    identity = np.eye(len(information))
    if not converged:
        return np.full_like(identity, np.nan)
    return cho_solve(cho_factor(information), identity)
