"""Quantiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import betainc

from synth_tasks.errors import ModelError
from synth_tasks.inference.descriptive import correlate, numeric_columns
from synth_tasks.inference.fit import ModelFit

QUARTILES = (0.25, 0.5, 0.75)
LEAST_BEYOND = 5


def fit_quantile(
    data: pd.DataFrame, variables: list[str], probabilities: Sequence[float] = QUARTILES
) -> ModelFit:
    """Estimate quantiles of numeric variables.

    Estimates are those of R by default (type 7). The standard error is the standard deviation of an
    order statistic of rank (n + 1) p when the sample takes the place of the population: with the
    weights w_i = I(i / n) - I((i - 1) / n), where I is the distribution function of a Beta((n + 1) p,
    (n + 1) (1 - p)) variable, its square is sum w_i x_(i)² - (sum w_i x_(i))². It needs no density,
    and for the median of an odd number of rows it is the standard error of the bootstrap without the
    resampling. Two quantiles correlate as the indicators of values below them do (Bahadur).

    Where many rows share the value of the quantile, as with rounded numbers, the distribution of the
    estimate has steps, and the interval is but a rough one.

    Parameters
    ----------
    data : DataFrame of shape (n, n_columns)
        Complete in the variables.
    variables : list of str
        Numeric columns.
    probabilities : sequence of float, default (0.25, 0.5, 0.75)
        Which quantiles; at least `LEAST_BEYOND` rows must lie on either side.

    Returns
    -------
    ModelFit

    References
    ----------
    Maritz & Jarrett (1978). A note on estimating the variance of the sample median. JASA 73, 194-196.
    Harrell & Davis (1982). A new distribution-free quantile estimator. Biometrika 69, 635-640.
    Bahadur (1966). A note on quantiles in large samples. Annals of Mathematical Statistics 37, 577-580.
    Hyndman & Fan (1996). Sample quantiles in statistical packages. American Statistician 50, 361-365.
    """
    p = np.asarray(probabilities, dtype=float)
    x = numeric_columns(data, variables, "quantile", least_rows=2 * LEAST_BEYOND)
    n = len(x)
    far = p[np.minimum(p, 1.0 - p) * n < LEAST_BEYOND - 1e-9]
    if len(far):
        raise ModelError(
            f"the quantile {far[0]:g} has fewer than {LEAST_BEYOND} of {n} rows beyond it: choose "
            "probabilities nearer to 0.5"
        )
    estimates = np.quantile(x, p, axis=0).T.ravel()
    ordered = np.sort(x, axis=0)
    weights = np.diff(
        betainc((n + 1) * p, (n + 1) * (1 - p), np.arange(n + 1)[:, None] / n), axis=0
    )
    centred = ordered - ordered.mean(axis=0)  # the squares then lose no digits
    first, second = weights.T @ centred, weights.T @ centred**2
    std_errors = np.sqrt(np.maximum(0.0, second - first**2)).T.ravel()
    below = np.repeat(x, len(p), axis=1) <= estimates
    return ModelFit(
        model="quantile",
        label=f"{', '.join(variables)}, probabilities {', '.join(f'{q:g}' for q in p)}",
        terms=tuple(f"{name}[{100 * q:.6g}%]" for name in variables for q in p),
        estimates=estimates,
        covariance=correlate(below.astype(float)) * np.outer(std_errors, std_errors),
        df_residual=np.inf,
        n=n,
    )


def check_probabilities(value: object) -> None:
    """Refuse what is no list of different probabilities between 0 and 1."""
    numbers = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    real = all(isinstance(q, (int, float)) and not isinstance(q, bool) for q in numbers)
    if not (numbers and real and all(0 < q < 1 for q in numbers)):
        raise ModelError(
            "probabilities must be numbers between 0 and 1, for example [0.25, 0.5, 0.75]"
        )
    if len(set(numbers)) < len(numbers):
        raise ModelError("probabilities names a quantile twice: leave one out")
