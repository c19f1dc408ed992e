"""Regressions of a categorical response with several levels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.errors import ModelError
from synth_tasks.inference.design import (
    INTERCEPT,
    Design,
    as_model_column,
    build_design,
    check_complete,
)
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.formula import Formula
from synth_tasks.inference.likelihood import Likelihood
from synth_tasks.inference.multinomial import fit_multinomial, multinomial_log_likelihood
from synth_tasks.inference.ordinal import fit_ordered_logit, ordered_log_likelihood


def fit_ordered(data: pd.DataFrame, formula: Formula) -> ModelFit:
    """Fit a proportional-odds model; thresholds follow the coefficients, as in `MASS::polr`."""
    response = ordered_response(data, formula)
    design = without_intercept(build_design(data, formula), formula)
    levels = list(response.cat.categories)
    return proportional_odds(design, response.cat.codes.to_numpy(), levels, formula)


def proportional_odds(
    design: Design, codes: np.ndarray, levels: Sequence[Any], formula: Formula
) -> ModelFit:
    """Fit a proportional-odds model to arrays; see `fit_ordered`."""
    fit = fit_ordered_logit(codes, design.x, len(levels))
    estimates = np.concatenate([fit.coefficients, fit.thresholds])
    return ModelFit(
        model="ordered_logit",
        label=formula.text,
        terms=(*design.terms, *(f"{a}|{b}" for a, b in pairwise(levels))),
        estimates=estimates,
        covariance=fit.covariance,
        df_residual=float(len(codes) - len(estimates)),
        n=len(codes),
        likelihood=Likelihood(ordered_log_likelihood, codes, design.x, intercepts_apart=True),
        converged=fit.converged,
        iterations=fit.iterations,
        message="" if fit.converged else _separated(formula, "ordered logit"),
    )


def fit_unordered(data: pd.DataFrame, formula: Formula) -> ModelFit:
    """Fit a multinomial logistic regression against the first level, as `nnet::multinom`."""
    response = _categorical_response(data, formula)
    design = build_design(data, formula)
    levels = list(response.cat.categories)
    codes = response.cat.codes.to_numpy()
    if len(levels) < 2:
        raise ModelError(
            f"the response '{formula.response}' has a single level: leave the analysis out"
        )
    fit = fit_multinomial(codes, design.x, len(levels))
    return ModelFit(
        model="multinomial_logit",
        label=formula.text,
        terms=tuple(f"{level}:{term}" for level in levels[1:] for term in design.terms),
        estimates=fit.coefficients,
        covariance=fit.covariance,
        df_residual=float(len(response) - len(fit.coefficients)),
        n=len(response),
        likelihood=Likelihood(multinomial_log_likelihood, codes, design.x),
        converged=fit.converged,
        iterations=fit.iterations,
        message="" if fit.converged else _separated(formula, "multinomial logit"),
    )


def _separated(formula: Formula, name: str) -> str:
    return (
        f"formula '{formula.text}': the {name} has no finite estimates, its predictors "
        "separate the levels of the response: leave a predictor out or merge levels"
    )


def _categorical_response(data: pd.DataFrame, formula: Formula) -> pd.Series:
    if formula.response is None:
        raise ModelError(
            f"formula '{formula.text}': a multinomial logit needs a column as response"
        )
    check_complete(data, [formula.response])
    response = as_model_column(data[formula.response])
    if not isinstance(response.dtype, pd.CategoricalDtype):
        raise ModelError(
            f"the response '{formula.response}' is not categorical: declare it "
            f"(variables.{formula.response}.kind: nominal), or use ols, logit or poisson"
        )
    return response


def ordered_response(
    data: pd.DataFrame, formula: Formula, allow_empty_levels: bool = False
) -> pd.Series:
    """Return the response of an ordered logit as an ordered categorical."""
    if formula.response is None:
        raise ModelError(f"formula '{formula.text}': an ordered logit needs a column as response")
    column = data[formula.response]
    if not (isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered):
        raise ModelError(
            f"the response '{formula.response}' is not ordered: "
            f"declare it (variables.{formula.response}.kind: ordinal) with its categories in order"
        )
    check_complete(data, [formula.response])
    return as_model_column(column, allow_empty_levels)


def without_intercept(design: Design, formula: Formula) -> Design:
    """Leave out the intercept, whose place the thresholds take."""
    if INTERCEPT not in design.terms:
        raise ModelError(
            f"formula '{formula.text}': the thresholds of an ordered logit are its intercepts: "
            "do not remove the intercept"
        )
    keep = [i for i, term in enumerate(design.terms) if term != INTERCEPT]
    return Design(design.x[:, keep], tuple(design.terms[i] for i in keep))
