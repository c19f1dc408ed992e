"""Linear regression with normal residuals, its parameters from a bootstrap sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.linear import fit_linear
from synth_tasks.engine.methods.norm_nob import NormNob
from synth_tasks.engine.registry import NUMBERS, Context, method


@dataclass(frozen=True)
class NormBoot:
    """Training rows, from which every draw takes its own bootstrap sample."""

    y: np.ndarray
    x: np.ndarray
    context: Context

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Fit to a bootstrap sample, then draw a normal value around each prediction."""
        rows = rng.integers(len(self.y), size=len(self.y))
        return NormNob(fit_linear(self.y[rows], self.x[rows], self.context)).draw(x, rng)


@method("norm.boot", kinds=NUMBERS, draws_parameters=True)
def fit_norm_boot(y: np.ndarray, x: np.ndarray, context: Context) -> NormBoot:
    """Keep the training rows.

    References
    ----------
    van Buuren (2018). Flexible Imputation of Missing Data, 2nd ed., section 3.2.
    """
    return NormBoot(y, x, context)
