"""Logistic regression for two categories, its parameters from a bootstrap sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synth_tasks.engine.methods.logreg import Logreg, fit_logreg
from synth_tasks.engine.registry import TWO_LEVELS, Context, Fitted, method
from synth_tasks.engine.resampling import Resampled


@method("logreg.boot", kinds=TWO_LEVELS, draws_parameters=True)
def fit_logreg_boot(y: np.ndarray, x: np.ndarray, context: Context) -> Resampled:
    """Keep the training rows.

    References
    ----------
    van Buuren (2018). Flexible Imputation of Missing Data, 2nd ed., section 3.6.
    """
    return Resampled(y, x, context, _fit_at_estimates)


def _fit_at_estimates(y: np.ndarray, x: np.ndarray, context: Context) -> Fitted:
    """Fit, and leave the posterior of the coefficients out: the bootstrap stands for it."""
    fitted = fit_logreg(y, x, context)
    if isinstance(fitted, Logreg):
        return replace(fitted, root=np.zeros_like(fitted.root))
    return fitted  # one category only in the sample
