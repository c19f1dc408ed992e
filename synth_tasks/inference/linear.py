"""The linear model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synth_tasks.inference.design import Design, build_design, build_response
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.formula import Formula
from synth_tasks.inference.likelihood import Likelihood
from synth_tasks.inference.robust import sandwich


def fit_ols(data: pd.DataFrame, formula: Formula, covariance: str = "model") -> ModelFit:
    """Fit a linear model by least squares; covariance s² (X'X)⁻¹ with s² = RSS / (n - k)."""
    design = build_design(data, formula)
    return least_squares(design, build_response(data, formula), formula, covariance)


def least_squares(
    design: Design, y: np.ndarray, formula: Formula, covariance: str = "model"
) -> ModelFit:
    """Fit a linear model to arrays; see `fit_ols`."""
    q, r = np.linalg.qr(design.x)
    estimates = np.linalg.solve(r, q.T @ y)
    residuals = y - design.x @ estimates
    df_residual = len(y) - len(estimates)
    if covariance == "model":
        r_inverse = np.linalg.inv(r)
        spread = float(residuals @ residuals) / df_residual * (r_inverse @ r_inverse.T)
    else:
        spread = sandwich(design.x, residuals, np.ones(len(y)), covariance)
    return ModelFit(
        model="ols",
        label=regression_label(formula, covariance),
        terms=design.terms,
        estimates=estimates,
        covariance=spread,
        df_residual=float(df_residual),
        n=len(y),
        likelihood=Likelihood(_normal_log_likelihood, y, design.x),
    )


def regression_label(formula: Formula, covariance: str) -> str:
    """Return the formula, and the kind of covariance if it is not that of the model."""
    return formula.text if covariance == "model" else f"{formula.text}, {covariance}"


def _normal_log_likelihood(y: np.ndarray, x: np.ndarray, estimates: np.ndarray) -> float:
    """Return the log likelihood at the variance RSS / n, as R's ``logLik`` does."""
    residuals = y - x @ estimates
    with np.errstate(divide="ignore"):
        log_variance = np.log(residuals @ residuals / len(y))
    return float(-len(y) / 2 * (np.log(2 * np.pi) + log_variance + 1.0))
