"""Bayesian linear regression with normal residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.linear import LinearModel, fit_linear
from synth_tasks.engine.registry import NUMBERS, Context, method


@dataclass(frozen=True)
class Norm:
    """Posterior of a normal linear model."""

    model: LinearModel

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw parameters, then a normal value around each prediction."""
        beta, sigma = self.model.draw_parameters(rng)
        return self.model.predict(x, beta) + sigma * rng.standard_normal(len(x))


@method("norm", kinds=NUMBERS, draws_parameters=True)
def fit_norm(y: np.ndarray, x: np.ndarray, context: Context) -> Norm:
    """Fit by least squares.

    References
    ----------
    Rubin (1987). Multiple Imputation for Nonresponse in Surveys, p. 167.
    """
    return Norm(fit_linear(y, x, context))
