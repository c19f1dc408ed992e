"""Models without donors, in place of fitted methods that hold some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr, softmax

from synth_tasks.engine.categories import LevelModel
from synth_tasks.engine.methods.norm import Norm
from synth_tasks.engine.methods.norm_nob import NormNob
from synth_tasks.engine.portable.quantiles import Quantiles
from synth_tasks.engine.portable.tree import Groups

# How transformed values are turned back; see `synth_tasks.engine.methods.transformed`.
RESTORE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log": np.exp,
    "sqrt": np.square,
    "cbrt": lambda values: values**3,
}


@dataclass(frozen=True)
class Margin:
    """The distribution of a variable, whatever the predictors; stands for sample."""

    distribution: Groups

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a value for each row."""
        return self.distribution.draw(np.zeros(len(x), dtype=int), rng)


@dataclass(frozen=True)
class GroupMargins:
    """The distribution in each category of one predictor; stands for nested.

    Parameters
    ----------
    column : int
        The predictor.
    group : ndarray of int of shape (n_categories,)
        Number of the distribution for each of its categories.
    distributions : Quantiles or Shares
        Of everyone first, then of each category that has rows.
    """

    column: int
    group: np.ndarray
    distributions: Groups

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw from the distribution of the row's category."""
        return self.distributions.draw(self.group[x[:, self.column].astype(int)], rng)


@dataclass(frozen=True)
class PortableNormRank:
    """A model of normal scores, and the margin to which they belong; stands for normrank."""

    scores: NormNob
    margin: Quantiles

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw normal scores, then return the values at these ranks."""
        return self.margin.at(np.zeros(len(x), dtype=int), ndtr(self.scores.draw(x, rng)))


@dataclass(frozen=True)
class Rescaled:
    """A normal linear model of transformed values; stands for lognorm and its like.

    Parameters
    ----------
    model : Norm
        On the transformed scale.
    scale : {"log", "sqrt", "cbrt"}
        The transformation.
    """

    model: Norm
    scale: str

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw transformed values, then transform back."""
        return RESTORE[self.scale](self.model.draw(x, rng))


@dataclass(frozen=True)
class LinearLogits(LevelModel):
    """Probabilities of categories from linear scores; stands for polyreg and lda.

    Parameters
    ----------
    coefficients : ndarray of shape (n_scores, n_columns)
        One score for each level, or one for the second of two levels.
    intercepts : ndarray of shape (n_scores,)
        Their intercepts.
    """

    coefficients: np.ndarray
    intercepts: np.ndarray

    def probabilities(self, columns: np.ndarray) -> np.ndarray:
        """Predict; see `LevelModel`."""
        scores = columns @ self.coefficients.T + self.intercepts
        if len(self.intercepts) > 1:
            return softmax(scores, axis=1)
        second = expit(scores[:, 0])
        return np.column_stack([1 - second, second])
