"""Proportional-odds logistic regression for ordered categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Kind
from synth_tasks.engine.augment import augment
from synth_tasks.engine.categories import LevelModel
from synth_tasks.engine.design_matrix import Design
from synth_tasks.engine.methods.polyreg import fit_polyreg
from synth_tasks.engine.registry import Context, Fitted, method
from synth_tasks.inference.ordinal import OrderedLogitFit, fit_ordered_logit


@dataclass(frozen=True)
class Polr(LevelModel):
    """Fitted probabilities of ordered categories.

    Parameters
    ----------
    model : OrderedLogitFit
        Of the positions in `levels`.
    """

    model: OrderedLogitFit

    def probabilities(self, columns: np.ndarray) -> np.ndarray:
        """Predict; see `LevelModel`."""
        return self.model.predict_probabilities(columns)


@method("polr", kinds=frozenset({Kind.ORDINAL}))
def fit_polr(y: np.ndarray, x: np.ndarray, context: Context) -> Fitted:
    """Fit by maximum likelihood on augmented data; fall back to polyreg if that fails.

    The parameters are not drawn.

    References
    ----------
    van Buuren (2018). Flexible Imputation of Missing Data, 2nd ed., section 3.6.
    """
    levels, codes = np.unique(y, return_inverse=True)
    if len(levels) < 3:
        return fit_polyreg(y, x, context)
    design = Design.learn(x, context.predictors, context.log)
    codes, columns, weights = augment(codes, design.matrix(x), len(levels))
    model = fit_ordered_logit(codes, columns, len(levels), weights)
    if not model.converged:
        context.log("polr did not converge; polyreg used instead")
        return fit_polyreg(y, x, context)
    return Polr(design, levels, model)
