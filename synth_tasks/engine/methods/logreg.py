"""Bayesian logistic regression for variables with two categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from synth_tasks.engine.augment import augment
from synth_tasks.engine.categories import OneLevel
from synth_tasks.engine.design_matrix import Design
from synth_tasks.engine.registry import TWO_LEVELS, Context, method

MAX_ITERATIONS = 50
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Logreg:
    """Normal approximation to the posterior of a logistic model.

    Parameters
    ----------
    design : Design
        Learnt on the training rows.
    coefficients : ndarray of shape (n_columns,)
        Intercept first.
    root : ndarray of shape (n_columns, n_columns)
        Cholesky factor of their covariance.
    """

    design: Design
    coefficients: np.ndarray
    root: np.ndarray

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw coefficients, then a category for each row."""
        noise = rng.standard_normal(len(self.coefficients))
        beta = self.coefficients + self.root @ noise
        return (rng.random(len(x)) < expit(self.design.with_intercept(x) @ beta)).astype(float)


@method("logreg", kinds=TWO_LEVELS, draws_parameters=True)
def fit_logreg(y: np.ndarray, x: np.ndarray, context: Context) -> Logreg | OneLevel:
    """Fit by iteratively reweighted least squares on augmented data.

    References
    ----------
    Rubin (1987). Multiple Imputation for Nonresponse in Surveys, pp. 169-170.
    """
    if (y == y[0]).all():
        return OneLevel(float(y[0]))
    design = Design.learn(x, context.predictors, context.log)
    codes, columns, weights = augment(y.astype(int), design.matrix(x), n_levels=2)
    columns = np.column_stack([np.ones(len(columns)), columns])
    beta, information = newton_logit(codes, columns, weights)
    covariance = np.linalg.inv(information)
    return Logreg(design, beta, np.linalg.cholesky((covariance + covariance.T) / 2))


def newton_logit(
    codes: np.ndarray, columns: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Maximise the weighted log-likelihood of a logistic model.

    Returns
    -------
    beta : ndarray of shape (n_columns,)
        Coefficients.
    information : ndarray of shape (n_columns, n_columns)
        Observed information at `beta`, kept invertible by a tiny ridge.
    """
    beta = np.zeros(columns.shape[1])
    ridge = 1e-8 * len(codes) * np.eye(len(beta))
    for _ in range(MAX_ITERATIONS):
        p = expit(columns @ beta)
        gradient = columns.T @ (weights * (codes - p)) - ridge @ beta
        information = (columns * (weights * p * (1 - p))[:, None]).T @ columns + ridge
        step = np.linalg.solve(information, gradient)
        # A full Newton step can overshoot where probabilities are near 0 or 1.
        beta = beta + step * min(1.0, 5.0 / max(np.abs(step).max(), TOLERANCE))
        if np.abs(step).max() < TOLERANCE:
            break
    return beta, information
