"""Linear regression with normal residuals around fixed estimates: improper, for synthesis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.linear import LinearModel, fit_linear
from synth_tasks.engine.registry import NUMBERS, Context, method


@dataclass(frozen=True)
class NormNob:
    """A normal linear model at its estimates."""

    model: LinearModel

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a normal value around each prediction."""
        sigma = np.sqrt(self.model.rss / self.model.df)
        return self.model.predict(x) + sigma * rng.standard_normal(len(x))


@method("norm.nob", kinds=NUMBERS)
def fit_norm_nob(y: np.ndarray, x: np.ndarray, context: Context) -> NormNob:
    """Fit by least squares; the uncertainty of the estimates is left out.

    References
    ----------
    van Buuren (2018). Flexible Imputation of Missing Data, 2nd ed., section 3.2.
    """
    return NormNob(fit_linear(y, x, context))
