"""Models fitted anew to a bootstrap sample for every draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.registry import Context, Fit


@dataclass(frozen=True)
class Resampled:
    """Training rows, and what is fitted to a sample of them.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Outcome.
    x : ndarray of shape (n_rows, n_predictors)
        Coded predictors.
    context : Context
        What the method was told.
    fit : callable
        A fit whose draws keep its parameters; the sampling makes them vary.
    """

    y: np.ndarray
    x: np.ndarray
    context: Context
    fit: Fit

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Fit to a bootstrap sample of the training rows, then draw from that fit."""
        rows = rng.integers(len(self.y), size=len(self.y))
        return self.fit(self.y[rows], self.x[rows], self.context).draw(x, rng)
