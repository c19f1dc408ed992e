"""Random draws from the observed values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.registry import Context, method


@dataclass(frozen=True)
class Sample:
    """Observed values to draw from, whatever the predictors."""

    donors: np.ndarray

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw donors with replacement."""
        return self.donors[rng.integers(len(self.donors), size=len(x))]


@method("sample", donors=True)
def fit_sample(y: np.ndarray, x: np.ndarray, context: Context) -> Sample:
    """Keep the observed values; they are the margin of the variable."""
    return Sample(y)
