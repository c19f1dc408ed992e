"""Fitting one model to many data sets of the same columns that are stacked under each other.

The terms of a formula are computed once for all rows, which takes most of the time of a small fit. A
simulation fits thousands of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.errors import ModelError
from synth_tasks.inference.categories import (
    ordered_response,
    proportional_odds,
    without_intercept,
)
from synth_tasks.inference.descriptive import correlations, mean_columns, means, numbers
from synth_tasks.inference.design import (
    Design,
    as_model_column,
    build_response,
    check_design,
    compute_design,
)
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.formula import Formula
from synth_tasks.inference.linear import least_squares
from synth_tasks.inference.models import check_analysis, fit_model

# Functions that learn from the data at hand: centre, scale, orthogonal polynomials, knots.
LEARNING = re.compile(r"\b(center|scale|poly|bs)\s*\(")

FitRows = Callable[[slice], ModelFit]


def fit_stacked(
    data: pd.DataFrame,
    sizes: Sequence[int],
    model: str,
    formula: str | None = None,
    variables: Sequence[str] | None = None,
    **options: Any,
) -> list[ModelFit | ModelError]:
    """Fit a model to each of several data sets.

    Parameters
    ----------
    data : DataFrame of shape (sum of sizes, n_columns)
        The data sets under each other.
    sizes : sequence of int
        Rows of each.
    model, formula, variables, **options
        See `synth_tasks.inference.fit_model`.

    Returns
    -------
    list of ModelFit or ModelError
        The fits that `fit_model` gives (without its warning: see `ModelFit.converged`); where a model
        cannot be estimated, the error it raises.

    Raises
    ------
    ModelError
        If the model fits none of the data sets, whatever their values.
    """
    asked = check_analysis(model, formula, variables, list(data.columns), options)
    bounds = [slice(*pair) for pair in pairwise(accumulate(sizes, initial=0))]
    fit_rows = None if options else _prepare(data, model, asked)
    if fit_rows is None:
        fit_rows = _one_by_one(data, model, formula, variables, options)
    return [_attempt(fit_rows, rows) for rows in bounds]


def _attempt(fit_rows: FitRows, rows: slice) -> ModelFit | ModelError:
    try:
        return fit_rows(rows)
    except ModelError as error:
        return error


def _one_by_one(
    data: pd.DataFrame,
    model: str,
    formula: str | None,
    variables: Sequence[str] | None,
    options: Mapping[str, Any],
) -> FitRows:
    return lambda rows: fit_model(data.iloc[rows], model, formula, variables, **options)


def _prepare(data: pd.DataFrame, model: str, asked: Formula | list[str]) -> FitRows | None:
    """Compute terms for all rows; None where they depend on which rows are analysed together."""
    if isinstance(asked, Formula):
        prepare = {"ols": _prepare_ols, "ordered_logit": _prepare_ordered_logit}.get(model)
        if prepare is None or LEARNING.search(asked.code) or _has_texts(data, asked.columns):
            return None
        return prepare(data, asked)
    if _has_texts(data, asked) or (model == "correlation" and len(asked) < 2):
        return None
    if model == "mean":
        return _prepare_means(data, asked)
    return _prepare_correlations(data, asked) if model == "correlation" else None


def _has_texts(data: pd.DataFrame, columns: Sequence[str]) -> bool:
    """Whether a column has as levels what happens to be there."""
    return any(
        isinstance(as_model_column(data[name], allow_empty_levels=True).dtype, pd.CategoricalDtype)
        and not isinstance(data[name].dtype, pd.CategoricalDtype)
        for name in columns
    )


def _prepare_ols(data: pd.DataFrame, formula: Formula) -> FitRows:
    design = compute_design(data, formula, allow_empty_levels=True)
    y = build_response(data, formula, allow_empty_levels=True)
    return lambda rows: least_squares(_part(design, rows, formula), y[rows].copy(), formula)


def _prepare_ordered_logit(data: pd.DataFrame, formula: Formula) -> FitRows:
    response = ordered_response(data, formula, allow_empty_levels=True)
    codes, levels = response.cat.codes.to_numpy(), list(response.cat.categories)
    design = compute_design(data, formula, allow_empty_levels=True)

    def fit_rows(rows: slice) -> ModelFit:
        n_empty = len(levels) - len(np.unique(codes[rows]))
        if n_empty:
            raise ModelError(
                f"column '{formula.response}' has {n_empty} level(s) without rows: merge levels or "
                "drop them"
            )
        part = without_intercept(_part(design, rows, formula), formula)
        return proportional_odds(part, codes[rows], levels, formula)

    return fit_rows


def _part(design: Design, rows: slice, formula: Formula) -> Design:
    # Copied, so that it has the memory layout, and every sum the order, of a data set alone.
    part = Design(np.ascontiguousarray(design.x[rows]), design.terms)
    check_design(part, formula)
    return part


def _prepare_means(data: pd.DataFrame, variables: list[str]) -> FitRows:
    columns = mean_columns(data, variables)
    x, terms = np.column_stack(list(columns.values())), tuple(columns)
    return lambda rows: means(x[rows].copy(), terms, variables)


def _prepare_correlations(data: pd.DataFrame, variables: list[str]) -> FitRows:
    x = numbers(data, variables, "correlation")
    return lambda rows: correlations(x[rows].copy(), variables)
