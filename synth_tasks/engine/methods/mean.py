"""The mean of the observed values: for comparison only, it destroys all variation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.registry import NUMBERS, Context, method


@dataclass(frozen=True)
class Mean:
    """The observed mean."""

    value: float

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the mean for every row."""
        return np.full(len(x), self.value)


@method("mean", kinds=NUMBERS)
def fit_mean(y: np.ndarray, x: np.ndarray, context: Context) -> Mean:
    """Compute the mean."""
    return Mean(float(y.mean()))
