"""Generalised linear models, fitted by statsmodels.

It is imported when a model is fitted: it takes a second.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import digamma, expit, gammaln, log_expit

from synth_tasks.errors import ModelError
from synth_tasks.inference.design import as_model_column, build_design, build_response
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.formula import Formula
from synth_tasks.inference.likelihood import Likelihood
from synth_tasks.inference.linear import regression_label
from synth_tasks.inference.robust import sandwich

MOST_ITERATIONS = 100
TOLERANCE = 1e-10
# A linear predictor of 20 is a probability of 1 - 2e-9: no data tell it from 1.
LARGEST_LOGIT = 20.0


def fit_logit(data: pd.DataFrame, formula: Formula, covariance: str = "model") -> ModelFit:
    """Fit a logistic regression of the second of two categories, as R's ``glm(family = binomial)``.

    References
    ----------
    McCullagh & Nelder (1989). Generalized Linear Models, chapter 4.
    """
    return _fit("logit", data, formula, _two_levels(data, formula), covariance)


def fit_poisson(data: pd.DataFrame, formula: Formula, covariance: str = "model") -> ModelFit:
    """Fit a log-linear model of counts, as R's ``glm(family = poisson)``; dispersion 1.

    References
    ----------
    McCullagh & Nelder (1989). Generalized Linear Models, chapter 6.
    """
    y = build_response(data, formula)
    if (y < 0).any():
        raise ModelError(f"formula '{formula.text}': counts cannot be negative: mend the response")
    return _fit("poisson", data, formula, y, covariance)


def fit_gamma(data: pd.DataFrame, formula: Formula, covariance: str = "model") -> ModelFit:
    """Fit a gamma model, as R's ``glm(family = Gamma(link = "log"))``; dispersion by Pearson.

    The logarithm, unlike R's default, the inverse, never gives a negative mean.

    References
    ----------
    McCullagh & Nelder (1989). Generalized Linear Models, chapter 8.
    """
    y = build_response(data, formula)
    if (y <= 0).any():
        raise ModelError(
            f"formula '{formula.text}': a gamma response is positive everywhere: mend or shift it"
        )
    return _fit("gamma", data, formula, y, covariance)


def _fit(
    model: str, data: pd.DataFrame, formula: Formula, y: np.ndarray, covariance: str
) -> ModelFit:
    design = build_design(data, formula)
    family = FAMILIES[model]
    estimates, spread, converged, iterations = _iterate(model, y, design.x)
    message = ""
    if model == "logit" and not np.abs(design.x @ estimates).max() <= LARGEST_LOGIT:
        converged = False
        message = (
            f"formula '{formula.text}': the logit has no finite estimates, its predictors separate the "
            "two categories of the response: leave a predictor out or merge levels"
        )
    elif not converged:
        message = (
            f"formula '{formula.text}': the model {model} does not converge: leave predictors out, "
            "rescale them, or try another model"
        )
    if converged and covariance != "model":
        residuals, weights = family.scores(y, design.x @ estimates)
        spread = sandwich(design.x, residuals, weights, covariance)
    return ModelFit(
        model=model,
        label=regression_label(formula, covariance),
        terms=design.terms,
        estimates=estimates,
        covariance=spread,
        df_residual=float(len(y) - len(design.terms)),
        n=len(y),
        likelihood=Likelihood(family.log_likelihood, y, design.x),
        converged=converged,
        iterations=iterations,
        message=message,
    )


def _iterate(model: str, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool, int]:
    """Return estimates, their covariance, whether they were reached, and the iterations made."""
    from statsmodels.genmod.families import Binomial, Gamma, Poisson
    from statsmodels.genmod.families.links import Log
    from statsmodels.genmod.generalized_linear_model import GLM

    family = {"logit": Binomial(), "poisson": Poisson(), "gamma": Gamma(Log())}[model]
    k = x.shape[1]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they tell is told by `converged`
            result: Any = GLM(y, x, family=family).fit(maxiter=MOST_ITERATIONS, tol=TOLERANCE)
            spread = np.asarray(result.cov_params())
    except (ValueError, FloatingPointError, np.linalg.LinAlgError):
        return np.full(k, np.nan), np.full((k, k), np.nan), False, 0
    converged = bool(result.converged) and bool(np.isfinite(spread).all())
    return np.asarray(result.params), spread, converged, int(result.fit_history["iteration"])


@dataclass(frozen=True)
class _Family:
    """What a distribution tells of a row.

    Parameters
    ----------
    log_likelihood : callable
        See `Likelihood`.
    scores : callable
        Takes response and linear predictor; returns the factor that makes the predictors of a row its
        score, and the expected information of a row, up to the dispersion.
    """

    log_likelihood: Callable[[np.ndarray, np.ndarray, np.ndarray], float]
    scores: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def _bernoulli_log_likelihood(y: np.ndarray, x: np.ndarray, estimates: np.ndarray) -> float:
    eta = x @ estimates
    return float(y @ log_expit(eta) + (1.0 - y) @ log_expit(-eta))


def _bernoulli_scores(y: np.ndarray, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p = expit(eta)
    return y - p, p * (1.0 - p)


def _poisson_log_likelihood(y: np.ndarray, x: np.ndarray, estimates: np.ndarray) -> float:
    eta = x @ estimates
    return float(y @ eta - np.exp(eta).sum() - gammaln(y + 1.0).sum())


def _poisson_scores(y: np.ndarray, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return y - np.exp(eta), np.exp(eta)


def _gamma_log_likelihood(y: np.ndarray, x: np.ndarray, estimates: np.ndarray) -> float:
    """Return the log likelihood at the shape that is most likely given the means.

    The shape s solves log s - digamma(s) = d with d = mean of y / mu - 1 - log(y / mu).
    """
    relative = y * np.exp(-(x @ estimates))
    d = float(np.mean(relative - 1.0 - np.log(relative)))
    if d <= 0.0:
        return np.inf
    # 1 / (2 s) < log s - digamma(s) < 1 / s, so that the root lies between.
    s = brentq(lambda s: np.log(s) - digamma(s) - d, 0.5 / d, 1.0 / d)
    rows = s * np.log(s) - gammaln(s) + s * (np.log(relative) - relative) - np.log(y)
    return float(rows.sum())


def _gamma_scores(y: np.ndarray, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return y * np.exp(-eta) - 1.0, np.ones_like(eta)


FAMILIES = {
    "logit": _Family(_bernoulli_log_likelihood, _bernoulli_scores),
    "poisson": _Family(_poisson_log_likelihood, _poisson_scores),
    "gamma": _Family(_gamma_log_likelihood, _gamma_scores),
}


def _two_levels(data: pd.DataFrame, formula: Formula) -> np.ndarray:
    """Return 1 for the second category of the response, 0 for the first."""
    if formula.response is None:
        return _zero_one(build_response(data, formula), formula)
    column = data[formula.response]
    if pd.api.types.is_bool_dtype(column.dtype) and not column.isna().any():
        return column.to_numpy(dtype=float)
    coded = as_model_column(column)
    if not isinstance(coded.dtype, pd.CategoricalDtype):
        return _zero_one(build_response(data, formula), formula)
    if len(coded.cat.categories) != 2 or column.isna().any():
        raise ModelError(
            f"the response '{formula.response}' of a logit must have two categories and no missing "
            "values: merge categories, or use another model"
        )
    return coded.cat.codes.to_numpy().astype(float)


def _zero_one(y: np.ndarray, formula: Formula) -> np.ndarray:
    if not np.isin(y, [0.0, 1.0]).all():
        raise ModelError(
            f"formula '{formula.text}': the response of a logit has two categories, or is 0 and 1"
        )
    return y
