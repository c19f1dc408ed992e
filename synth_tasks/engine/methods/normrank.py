"""Normal regression of ranks: the margin of the variable is kept, whatever its shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from synth_tasks.engine.linear import fit_linear
from synth_tasks.engine.methods.norm_nob import NormNob
from synth_tasks.engine.registry import NUMBERS, Context, method


@dataclass(frozen=True)
class NormRank:
    """A model of normal scores, and the values to which they belong."""

    scores: NormNob
    ordered: np.ndarray

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw normal scores, then return the values of these ranks."""
        n = len(self.ordered)
        ranks = np.rint(ndtr(self.scores.draw(x, rng)) * (n + 1)).astype(int)
        return self.ordered[np.clip(ranks, 1, n) - 1]


@method("normrank", kinds=NUMBERS, donors=True)
def fit_normrank(y: np.ndarray, x: np.ndarray, context: Context) -> NormRank:
    """Fit a linear model to the normal scores z = Φ⁻¹(rank / (n + 1)).

    References
    ----------
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11).
    """
    scores = ndtri(rankdata(y) / (len(y) + 1))
    return NormRank(NormNob(fit_linear(scores, x, context)), np.sort(y))
