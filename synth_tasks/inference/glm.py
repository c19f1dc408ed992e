"""Generalised linear models, fitted by statsmodels.

It is imported when a model is fitted: it takes a second.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from synth_tasks.errors import ModelError
from synth_tasks.inference.design import as_model_column, build_design, build_response
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.formula import Formula

MOST_ITERATIONS = 100
TOLERANCE = 1e-10
# A linear predictor of 20 is a probability of 1 - 2e-9: no data tell it from 1.
LARGEST_LOGIT = 20.0


def fit_logit(data: pd.DataFrame, formula: Formula) -> ModelFit:
    """Fit a logistic regression of the second of two categories, as R's ``glm(family = binomial)``.

    References
    ----------
    McCullagh & Nelder (1989). Generalized Linear Models, chapter 4.
    """
    fit, linear_predictor = _fit("logit", data, formula, _two_levels(data, formula))
    if np.abs(linear_predictor).max() > LARGEST_LOGIT:
        raise _separation(formula)
    return fit


def fit_poisson(data: pd.DataFrame, formula: Formula) -> ModelFit:
    """Fit a log-linear model of counts, as R's ``glm(family = poisson)``; dispersion 1.

    References
    ----------
    McCullagh & Nelder (1989). Generalized Linear Models, chapter 6.
    """
    y = build_response(data, formula)
    if (y < 0).any():
        raise ModelError(f"formula '{formula.text}': counts cannot be negative: mend the response")
    return _fit("poisson", data, formula, y)[0]


def fit_gamma(data: pd.DataFrame, formula: Formula) -> ModelFit:
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
    return _fit("gamma", data, formula, y)[0]


def _fit(
    model: str, data: pd.DataFrame, formula: Formula, y: np.ndarray
) -> tuple[ModelFit, np.ndarray]:
    """Return the fit and the linear predictor."""
    from statsmodels.genmod.families import Binomial, Gamma, Poisson
    from statsmodels.genmod.families.links import Log
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    family = {"logit": Binomial(), "poisson": Poisson(), "gamma": Gamma(Log())}[model]
    design = build_design(data, formula)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", PerfectSeparationWarning)
            result = GLM(y, design.x, family=family).fit(maxiter=MOST_ITERATIONS, tol=TOLERANCE)
    except PerfectSeparationWarning:
        raise _separation(formula) from None
    except (ValueError, FloatingPointError, np.linalg.LinAlgError):
        raise _no_convergence(model, formula) from None
    covariance = np.asarray(result.cov_params())
    if not (result.converged and np.isfinite(covariance).all()):
        raise _no_convergence(model, formula)
    fit = ModelFit(
        model=model,
        label=formula.text,
        terms=design.terms,
        estimates=np.asarray(result.params),
        covariance=covariance,
        df_residual=float(len(y) - len(design.terms)),
        n=len(y),
    )
    return fit, design.x @ fit.estimates


def _separation(formula: Formula) -> ModelError:
    return ModelError(
        f"formula '{formula.text}': the logit has no finite estimates, its predictors separate the two "
        "categories of the response: leave a predictor out or merge levels"
    )


def _no_convergence(model: str, formula: Formula) -> ModelError:
    return ModelError(
        f"formula '{formula.text}': the model {model} does not converge: leave predictors out, rescale "
        "them, or try another model"
    )


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
