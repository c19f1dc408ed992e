"""What every analysis model returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Scale = Literal["identity", "fisher_z"]


@dataclass(frozen=True, eq=False)
class ModelFit:
    """The estimates of one model on one data set.

    Parameters
    ----------
    model : str
        Name of the model in `MODELS`.
    label : str
        What was fitted: the formula, or the variables separated by commas.
    terms : tuple of str, length k
        Names of the estimates, as R names them.
    estimates : ndarray of shape (k,)
        On the scale named by `scale`.
    covariance : ndarray of shape (k, k)
        Their estimated covariance matrix.
    df_residual : float
        Degrees of freedom of the complete data; infinite where the model has none.
    n : int
        Rows used.
    scale : {"identity", "fisher_z"}
        ``fisher_z`` says that `estimates` are atanh of correlations.
    """

    model: str
    label: str
    terms: tuple[str, ...]
    estimates: np.ndarray
    covariance: np.ndarray
    df_residual: float
    n: int
    scale: Scale = "identity"

    @property
    def std_errors(self) -> np.ndarray:
        """Standard errors, an array of shape (k,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def reported(self) -> np.ndarray:
        """Estimates as they are reported, shape (k,): correlations, not Fisher's z."""
        return np.tanh(self.estimates) if self.scale == "fisher_z" else self.estimates
