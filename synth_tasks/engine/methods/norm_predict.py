"""Predictions of a linear regression: for comparison only, they have no residual variation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.linear import LinearModel, fit_linear
from synth_tasks.engine.registry import NUMBERS, Context, method


@dataclass(frozen=True)
class NormPredict:
    """A linear model at its estimates."""

    model: LinearModel

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the prediction for each row."""
        return self.model.predict(x)


@method("norm.predict", kinds=NUMBERS)
def fit_norm_predict(y: np.ndarray, x: np.ndarray, context: Context) -> NormPredict:
    """Fit by least squares.

    References
    ----------
    van Buuren (2018). Flexible Imputation of Missing Data, 2nd ed., section 3.2.
    """
    return NormPredict(fit_linear(y, x, context))
