"""Analysis models: what is estimated on every data set and pooled afterwards.

Each model turns a table into a `ModelFit`: named estimates with their covariance matrix. The
registry `MODELS` is open; a new model is one function and one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from synth_tasks.data.closest import columns_there
from synth_tasks.errors import ModelError
from synth_tasks.inference.design import (
    INTERCEPT,
    Design,
    as_model_column,
    build_design,
    build_response,
    check_complete,
)
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.formula import Formula, check_formula
from synth_tasks.inference.glm import fit_gamma, fit_logit, fit_poisson
from synth_tasks.inference.ordinal import fit_ordered_logit


@dataclass(frozen=True)
class Model:
    """An entry of the registry: how a model is fitted and what it is told.

    Parameters
    ----------
    fit : callable
        Takes the table and a `Formula` (``needs="formula"``) or a list of columns
        (``needs="variables"``) and returns a `ModelFit`.
    needs : {"formula", "variables"}
        What says which columns are analysed.
    """

    fit: Callable[..., ModelFit]
    needs: Literal["formula", "variables"]


def fit_model(
    data: pd.DataFrame,
    model: str,
    formula: str | None = None,
    variables: Sequence[str] | None = None,
) -> ModelFit:
    """Fit a model to one data set.

    Parameters
    ----------
    data : DataFrame of shape (n, n_columns)
        Complete in the columns of the model.
    model : str
        ``"ols"``, ``"logit"``, ``"poisson"``, ``"gamma"``, ``"ordered_logit"``, ``"mean"`` or
        ``"correlation"``; see `MODELS`.
    formula : str, optional
        For all but the last two, as in R: ``"hgt ~ age + phb"``.
    variables : sequence of str, optional
        For ``mean`` and ``correlation``.

    Returns
    -------
    ModelFit

    Raises
    ------
    ModelError
        If the model is unknown, asks for something that is not there, or cannot be estimated.

    Examples
    --------
    >>> import pandas as pd
    >>> from synth_tasks.inference import fit_model
    >>> fit = fit_model(pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [1.0, 3.0, 4.0]}), "ols", "y ~ x")
    >>> fit.terms, fit.estimates.round(3).tolist()
    (('(Intercept)', 'x'), [-0.333, 1.5])
    """
    asked = check_analysis(model, formula, variables, list(data.columns))
    return MODELS[model].fit(data, asked)


def check_analysis(
    model: str,
    formula: str | None,
    variables: Sequence[str] | None,
    columns: Sequence[str],
) -> Formula | list[str]:
    """Check what can be checked of an analysis before there are data.

    Parameters
    ----------
    model : str
        Name of a model.
    formula : str or None
        Its formula.
    variables : sequence of str or None
        Its variables.
    columns : sequence of str
        Columns that the data will have.

    Returns
    -------
    Formula or list of str
        The checked formula, or the checked variables.

    Raises
    ------
    ModelError
        If the model is unknown, lacks its formula or variables or is given the wrong one of them,
        if the formula holds what is not allowed, or if a column is unknown.
    """
    if model not in MODELS:
        raise ModelError(f"unknown model '{model}': use one of {', '.join(MODELS)}")
    needs = MODELS[model].needs
    given = {"formula": formula, "variables": variables}
    for setting, value in given.items():
        if setting == needs and not value:
            raise ModelError(f"the model '{model}' needs {setting}: add {setting} to the analysis")
        if setting != needs and value:
            raise ModelError(f"the model '{model}' takes no {setting}: give {needs} instead")
    if formula:
        return check_formula(formula, columns)
    return _check_variables(model, list(variables or []), columns)


def _check_variables(model: str, variables: list[str], columns: Sequence[str]) -> list[str]:
    for name in variables:
        if name not in columns:
            raise ModelError(
                f"the model '{model}' names the unknown column '{name}': "
                + columns_there(name, columns)
            )
        if variables.count(name) > 1:
            raise ModelError(f"the model '{model}' names the column '{name}' twice")
    return variables


# --- regressions ----------------------------------------------------------------------------------


def _fit_ols(data: pd.DataFrame, formula: Formula) -> ModelFit:
    """Fit a linear model by least squares; covariance s² (X'X)⁻¹ with s² = RSS / (n - k)."""
    return least_squares(build_design(data, formula), build_response(data, formula), formula)


def least_squares(design: Design, y: np.ndarray, formula: Formula) -> ModelFit:
    """Fit a linear model to arrays; see `_fit_ols`."""
    q, r = np.linalg.qr(design.x)
    estimates = np.linalg.solve(r, q.T @ y)
    residuals = y - design.x @ estimates
    df_residual = len(y) - len(estimates)
    r_inverse = np.linalg.inv(r)
    return ModelFit(
        model="ols",
        label=formula.text,
        terms=design.terms,
        estimates=estimates,
        covariance=float(residuals @ residuals) / df_residual * (r_inverse @ r_inverse.T),
        df_residual=float(df_residual),
        n=len(y),
    )


def _fit_ordered_logit(data: pd.DataFrame, formula: Formula) -> ModelFit:
    """Fit a proportional-odds model; thresholds follow the coefficients, as in `MASS::polr`."""
    response = ordered_response(data, formula)
    design = without_intercept(build_design(data, formula), formula)
    levels = list(response.cat.categories)
    return proportional_odds(design, response.cat.codes.to_numpy(), levels, formula)


def proportional_odds(
    design: Design, codes: np.ndarray, levels: Sequence[Any], formula: Formula
) -> ModelFit:
    """Fit a proportional-odds model to arrays; see `_fit_ordered_logit`."""
    fit = fit_ordered_logit(codes, design.x, len(levels))
    if not fit.converged:
        raise ModelError(
            f"formula '{formula.text}': the ordered logit has no finite estimates, its predictors "
            "separate the levels of the response: leave a predictor out or merge levels"
        )
    estimates = np.concatenate([fit.coefficients, fit.thresholds])
    return ModelFit(
        model="ordered_logit",
        label=formula.text,
        terms=(*design.terms, *(f"{a}|{b}" for a, b in pairwise(levels))),
        estimates=estimates,
        covariance=fit.covariance,
        df_residual=float(len(codes) - len(estimates)),
        n=len(codes),
    )


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


# --- descriptive statistics -----------------------------------------------------------------------


def _fit_mean(data: pd.DataFrame, variables: list[str]) -> ModelFit:
    """Estimate means of numeric variables and proportions of every level of the others.

    A proportion is the mean of an indicator, so one formula covers both: covariance S / n with S
    the sample covariance matrix. Its diagonal is s² / n, for a proportion p (1 - p) / (n - 1).
    """
    columns = mean_columns(data, variables)
    return means(np.column_stack(list(columns.values())), tuple(columns), variables)


def mean_columns(data: pd.DataFrame, variables: list[str]) -> dict[str, np.ndarray]:
    """Return numbers and indicators of levels, by term."""
    check_complete(data, variables)
    columns: dict[str, np.ndarray] = {}
    for name in variables:
        # A level without rows has the proportion 0: every set then has the same terms.
        columns |= _indicators(as_model_column(data[name], allow_empty_levels=True))
    return columns


def means(x: np.ndarray, terms: tuple[str, ...], variables: list[str]) -> ModelFit:
    """Estimate the means of the columns of an array; see `_fit_mean`."""
    _check_rows(x, 2, "mean")
    _check_numbers_finite(x, terms)
    return ModelFit(
        model="mean",
        label=", ".join(variables),
        terms=terms,
        estimates=x.mean(axis=0),
        covariance=np.atleast_2d(np.cov(x, rowvar=False)) / len(x),
        df_residual=float(len(x) - 1),
        n=len(x),
    )


def _indicators(column: pd.Series) -> dict[str, np.ndarray]:
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return {str(column.name): column.to_numpy()}
    codes = column.cat.codes.to_numpy()
    return {
        f"{column.name}[{level}]": (codes == code).astype(float)
        for code, level in enumerate(column.cat.categories)
    }


def _fit_correlation(data: pd.DataFrame, variables: list[str]) -> ModelFit:
    """Estimate the correlations of all pairs on Fisher's z scale.

    z = atanh r has the variance 1 / (n - 3); covariances between two z follow from the asymptotic
    covariance of two correlations under normality.

    References
    ----------
    Fisher (1921). On the "probable error" of a coefficient of correlation. Metron 1, 3-32.
    Steiger (1980). Tests for comparing elements of a correlation matrix. Psychological Bulletin 87,
    245-251, equation 3.
    """
    return correlations(correlation_columns(data, variables), variables)


def correlation_columns(data: pd.DataFrame, variables: list[str]) -> np.ndarray:
    """Return the numbers that are correlated, an array of shape (n, n_variables)."""
    if len(variables) < 2:
        raise ModelError("the model 'correlation' needs at least two variables")
    check_complete(data, variables)
    columns = [as_model_column(data[name], allow_empty_levels=True) for name in variables]
    for column in columns:
        if isinstance(column.dtype, pd.CategoricalDtype):
            raise _no_correlation(str(column.name))
    return np.column_stack([column.to_numpy() for column in columns])


def correlations(x: np.ndarray, variables: list[str]) -> ModelFit:
    """Estimate the correlations of the columns of an array; see `_fit_correlation`."""
    _check_rows(x, 4, "correlation")
    _check_numbers_finite(x, variables)
    for name, constant in zip(variables, (x == x[0]).all(axis=0), strict=True):
        if constant:
            raise _no_correlation(name)
    matrix = np.corrcoef(x, rowvar=False)
    first, second = np.triu_indices(len(variables), k=1)
    r = matrix[first, second]
    terms = tuple(f"{variables[i]}:{variables[j]}" for i, j in zip(first, second, strict=True))
    perfect = np.flatnonzero(1.0 - np.abs(r) < 1e-12)
    if len(perfect):
        raise ModelError(
            f"the correlation '{terms[perfect[0]]}' is perfect and has no standard error: "
            "leave one of the two variables out"
        )
    return ModelFit(
        model="correlation",
        label=", ".join(variables),
        terms=terms,
        estimates=np.arctanh(r),
        covariance=_z_covariance(matrix, first, second) / (len(x) - 3),
        df_residual=np.inf,
        n=len(x),
        scale="fisher_z",
    )


def _no_correlation(name: str) -> ModelError:
    return ModelError(
        f"column '{name}' is not numeric or is constant: leave it out of the correlations"
    )


def _z_covariance(c: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return n times the covariance of z for pairs (j, k) and (h, m), with ones on the diagonal."""
    j, k = first[:, None], second[:, None]
    h, m = first[None, :], second[None, :]
    rho_jk, rho_hm = c[j, k], c[h, m]
    products = (
        (c[j, h] - rho_jk * c[k, h]) * (c[k, m] - c[k, h] * rho_hm)
        + (c[j, m] - c[j, h] * rho_hm) * (c[k, h] - rho_jk * c[j, h])
        + (c[j, h] - c[j, m] * rho_hm) * (c[k, m] - rho_jk * c[j, m])
        + (c[j, m] - rho_jk * c[k, m]) * (c[k, h] - c[k, m] * rho_hm)
    )
    return products / 2 / ((1 - rho_jk**2) * (1 - rho_hm**2))


def _check_rows(data: np.ndarray, minimum: int, model: str) -> None:
    if len(data) < minimum:
        raise ModelError(f"the model '{model}' needs at least {minimum} rows, not {len(data)}")


def _check_numbers_finite(x: np.ndarray, names: Sequence[str]) -> None:
    infinite = np.flatnonzero(~np.isfinite(x).all(axis=0))
    if len(infinite):
        raise ModelError(f"column '{names[infinite[0]]}' has infinite values: mend the column")


MODELS: dict[str, Model] = {
    "ols": Model(_fit_ols, needs="formula"),
    "logit": Model(fit_logit, needs="formula"),
    "poisson": Model(fit_poisson, needs="formula"),
    "gamma": Model(fit_gamma, needs="formula"),
    "ordered_logit": Model(_fit_ordered_logit, needs="formula"),
    "mean": Model(_fit_mean, needs="variables"),
    "correlation": Model(_fit_correlation, needs="variables"),
}
