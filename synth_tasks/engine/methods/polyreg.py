"""Multinomial logistic regression for unordered categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from synth_tasks.data import Kind
from synth_tasks.engine.augment import augment
from synth_tasks.engine.categories import LevelModel, OneLevel
from synth_tasks.engine.design_matrix import Design
from synth_tasks.engine.registry import TWO_LEVELS, Context, method

WEAK_PENALTY = 1e6


@dataclass(frozen=True)
class Polyreg(LevelModel):
    """Fitted probabilities of unordered categories.

    Parameters
    ----------
    model : LogisticRegression
        Of the positions in `levels`.
    """

    model: LogisticRegression

    def probabilities(self, columns: np.ndarray) -> np.ndarray:
        """Predict; see `LevelModel`."""
        return self.model.predict_proba(_at_least_one(columns))


@method("polyreg", kinds=TWO_LEVELS | {Kind.NOMINAL, Kind.ORDINAL})
def fit_polyreg(y: np.ndarray, x: np.ndarray, context: Context) -> Polyreg | OneLevel:
    """Fit by maximum likelihood on augmented data; the parameters are not drawn.

    References
    ----------
    van Buuren (2018). Flexible Imputation of Missing Data, 2nd ed., section 3.6.
    """
    levels, codes = np.unique(y, return_inverse=True)
    if len(levels) == 1:
        return OneLevel(float(levels[0]))
    design = Design.learn(x, context.predictors, context.log)
    codes, columns, weights = augment(codes, design.matrix(x), len(levels))
    model = LogisticRegression(C=WEAK_PENALTY, tol=1e-5, max_iter=1000)
    model.fit(_at_least_one(columns), codes, sample_weight=weights)
    if model.n_iter_.max() >= model.max_iter:
        context.log(f"polyreg stopped after {model.max_iter} iterations")
    return Polyreg(design, levels, model)


def _at_least_one(columns: np.ndarray) -> np.ndarray:
    """Give scikit-learn a column of zeros where there is no predictor."""
    return columns if columns.shape[1] else np.zeros((len(columns), 1))
