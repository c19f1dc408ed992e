"""Random draws from the observed values."""

from __future__ import annotations

from collections.abc import Sequence
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

    def draw_sets(self, x: np.ndarray, rngs: Sequence[np.random.Generator]) -> np.ndarray:
        """Draw for several sets; see `DrawsSets`."""
        n_rows = len(x) // len(rngs)
        return np.concatenate([self.draw(x[:n_rows], rng) for rng in rngs])


@method("sample", donors=True)
def fit_sample(y: np.ndarray, x: np.ndarray, context: Context) -> Sample:
    """Keep the observed values; they are the margin of the variable."""
    return Sample(y)
