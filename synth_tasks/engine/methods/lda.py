"""Linear discriminant analysis for unordered categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from synth_tasks.data import Kind
from synth_tasks.engine.categories import draw_categories
from synth_tasks.engine.design_matrix import Design
from synth_tasks.engine.methods.sample import Sample
from synth_tasks.engine.registry import TWO_LEVELS, Context, Fitted, method


@dataclass(frozen=True)
class Lda:
    """Posterior probabilities of the categories that occur, given normal predictors."""

    design: Design
    model: LinearDiscriminantAnalysis

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a category for each row."""
        probabilities = self.model.predict_proba(self.design.matrix(x))
        return self.model.classes_[draw_categories(probabilities, rng)]


@method("lda", kinds=TWO_LEVELS | {Kind.NOMINAL, Kind.ORDINAL})
def fit_lda(y: np.ndarray, x: np.ndarray, context: Context) -> Fitted:
    """Fit class means and a common covariance; the parameters are not drawn.

    It assumes normal predictors with equal covariances in all categories; polyreg does not.

    References
    ----------
    van Buuren (2018). Flexible Imputation of Missing Data, 2nd ed., section 3.6.
    """
    design = Design.learn(x, context.predictors, context.log)
    columns, levels = design.matrix(x), np.unique(y)
    if len(levels) == 1 or columns.shape[1] == 0 or len(y) <= len(levels):
        context.log("lda has nothing to tell categories apart by: drawn from the margin")
        return Sample(y)
    return Lda(design, LinearDiscriminantAnalysis(solver="svd").fit(columns, y))
