"""Bayesian linear regression, shared by the methods that predict a mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.design_matrix import Design
from synth_tasks.engine.registry import Context

RIDGE = 1e-5


@dataclass(frozen=True)
class LinearModel:
    """Least-squares fit of ``y`` on the design, with what is needed to draw its parameters.

    Parameters
    ----------
    design : Design
        Learnt on the training rows.
    coefficients : ndarray of shape (n_columns,)
        Intercept first.
    root : ndarray of shape (n_columns, n_columns)
        ``root @ root.T`` is the inverse cross-product matrix.
    rss : float
        Residual sum of squares.
    df : int
        Residual degrees of freedom, at least 1.
    """

    design: Design
    coefficients: np.ndarray
    root: np.ndarray
    rss: float
    df: int

    def predict(self, x: np.ndarray, coefficients: np.ndarray | None = None) -> np.ndarray:
        """Return the expected value for each row."""
        beta = self.coefficients if coefficients is None else coefficients
        return self.design.with_intercept(x) @ beta

    def draw_parameters(self, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """Draw coefficients and residual standard deviation from their posterior.

        With a flat prior, sigma² = RSS / chi²(df) and beta ~ N(beta_hat, sigma² (X'X)^-1).

        References
        ----------
        Rubin (1987). Multiple Imputation for Nonresponse in Surveys, p. 167.
        """
        sigma = float(np.sqrt(self.rss / rng.chisquare(self.df)))
        noise = rng.standard_normal(len(self.coefficients))
        return self.coefficients + sigma * (self.root @ noise), sigma


def fit_linear(y: np.ndarray, x: np.ndarray, context: Context) -> LinearModel:
    """Fit a linear model with a tiny ridge (1e-5 of the diagonal) that keeps it computable.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Outcome.
    x : ndarray of shape (n_rows, n_predictors)
        Coded predictors.
    context : Context
        Names the variables and takes remarks.

    Returns
    -------
    LinearModel
    """
    design = Design.learn(x, context.predictors, context.log)
    columns = design.with_intercept(x)
    cross = columns.T @ columns
    penalty = RIDGE * np.diag(cross).copy()
    penalty[0] = 0.0  # the intercept is never shrunk
    inverse = np.linalg.inv(cross + np.diag(penalty))
    coefficients = inverse @ (columns.T @ y)
    residuals = y - columns @ coefficients
    df = len(y) - columns.shape[1]
    if df < 1:
        context.log(f"df set to 1: {len(y)} rows for {columns.shape[1]} parameters")
        df = 1
    root = np.linalg.cholesky((inverse + inverse.T) / 2)
    return LinearModel(design, coefficients, root, float(residuals @ residuals), df)
