"""Logistic regression for two categories, its parameters from a bootstrap sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from synth_tasks.engine.methods.logreg import Logreg, fit_logreg
from synth_tasks.engine.registry import TWO_LEVELS, Context, method


@dataclass(frozen=True)
class LogregBoot:
    """Training rows, from which every draw takes its own bootstrap sample."""

    y: np.ndarray
    x: np.ndarray
    context: Context

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Fit to a bootstrap sample, then draw a category at the fitted probabilities."""
        rows = rng.integers(len(self.y), size=len(self.y))
        fitted = fit_logreg(self.y[rows], self.x[rows], self.context)
        if not isinstance(fitted, Logreg):  # one category only in the sample
            return fitted.draw(x, rng)
        probabilities = expit(fitted.design.with_intercept(x) @ fitted.coefficients)
        return (rng.random(len(x)) < probabilities).astype(float)


@method("logreg.boot", kinds=TWO_LEVELS, draws_parameters=True)
def fit_logreg_boot(y: np.ndarray, x: np.ndarray, context: Context) -> LogregBoot:
    """Keep the training rows.

    References
    ----------
    van Buuren (2018). Flexible Imputation of Missing Data, 2nd ed., section 3.6.
    """
    return LogregBoot(y, x, context)
