"""What every analysis model returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from synth_tasks.errors import ModelError
from synth_tasks.inference.likelihood import Likelihood

Scale = Literal["identity", "fisher_z", "log"]


@dataclass(frozen=True, eq=False)
class ModelFit:
    """The estimates of one model on one data set.

    Parameters
    ----------
    model : str
        Name of the model in `MODELS`.
    label : str
        What was fitted: the formula, or the variables separated by commas, and options that are not
        those by default.
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
    scale : {"identity", "fisher_z", "log"}
        ``fisher_z`` says that `estimates` are atanh of correlations, ``log`` that they are logarithms.
    likelihood : Likelihood, optional
        The log likelihood of values of the terms, where the model has one. It holds the data.
    converged : bool
        Whether `estimates` are those that were sought; always true where nothing is iterated.
    iterations : int
        Iterations made; 0 where nothing is iterated.
    message : str
        Why the fit did not converge, and what to do.
    """

    model: str
    label: str
    terms: tuple[str, ...]
    estimates: np.ndarray
    covariance: np.ndarray
    df_residual: float
    n: int
    scale: Scale = "identity"
    likelihood: Likelihood | None = field(default=None, repr=False)
    converged: bool = True
    iterations: int = 0
    message: str = ""

    @property
    def std_errors(self) -> np.ndarray:
        """Standard errors, an array of shape (k,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def reported(self) -> np.ndarray:
        """Estimates as they are reported, shape (k,): correlations, not Fisher's z."""
        return report_estimates(self.estimates, self.scale)

    def log_likelihood(self, estimates: np.ndarray | None = None) -> float:
        """Evaluate the log likelihood of the data.

        Parameters
        ----------
        estimates : ndarray of shape (k,), optional
            Values of the terms; the estimates if not given. What is no term, such as a residual
            variance, is where it is most likely given the terms.

        Returns
        -------
        float

        Raises
        ------
        ModelError
            If the model has no likelihood.
        """
        if self.likelihood is None:
            raise ModelError(
                f"the model '{self.model}' has no likelihood: it makes no assumption about the "
                "distribution; test its terms by wald_test"
            )
        return self.likelihood(self.estimates if estimates is None else estimates)


def report_estimates(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Return estimates, or ends of intervals, as they are reported."""
    if scale == "fisher_z":
        return np.tanh(values)
    return np.exp(values) if scale == "log" else values
