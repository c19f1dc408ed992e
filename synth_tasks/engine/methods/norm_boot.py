"""Linear regression with normal residuals, its parameters from a bootstrap sample."""

from __future__ import annotations

import numpy as np

from synth_tasks.engine.methods.norm_nob import fit_norm_nob
from synth_tasks.engine.registry import NUMBERS, Context, method
from synth_tasks.engine.resampling import Resampled


@method("norm.boot", kinds=NUMBERS, draws_parameters=True)
def fit_norm_boot(y: np.ndarray, x: np.ndarray, context: Context) -> Resampled:
    """Keep the training rows.

    References
    ----------
    van Buuren (2018). Flexible Imputation of Missing Data, 2nd ed., section 3.2.
    """
    return Resampled(y, x, context, fit_norm_nob)
