"""Analysis models: what is estimated on every data set and pooled afterwards.

Each model turns a table into a `ModelFit`: named estimates with their covariance matrix. The
registry `MODELS` is the only list of them and is open: a new model is one function and one entry.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from synth_tasks.data.closest import columns_there
from synth_tasks.errors import ConvergenceWarning, ModelError
from synth_tasks.inference.categories import fit_ordered, fit_unordered
from synth_tasks.inference.descriptive import fit_correlation, fit_mean, fit_variance
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.formula import Formula, check_formula
from synth_tasks.inference.glm import fit_gamma, fit_logit, fit_poisson
from synth_tasks.inference.linear import fit_ols
from synth_tasks.inference.quantiles import check_probabilities, fit_quantile
from synth_tasks.inference.robust import COVARIANCES
from synth_tasks.inference.tables import fit_cramers_v, fit_table


@dataclass(frozen=True)
class Model:
    """An entry of the registry: how a model is fitted and what it is told.

    Parameters
    ----------
    fit : callable
        Takes the table, a `Formula` (``needs="formula"``) or a list of columns
        (``needs="variables"``), and options by keyword, and returns a `ModelFit`.
    needs : {"formula", "variables"}
        What says which columns are analysed.
    options : tuple of str
        Names of the options that it takes; see `OPTIONS`.
    """

    fit: Callable[..., ModelFit]
    needs: Literal["formula", "variables"]
    options: tuple[str, ...] = ()


def fit_model(
    data: pd.DataFrame,
    model: str,
    formula: str | None = None,
    variables: Sequence[str] | None = None,
    **options: Any,
) -> ModelFit:
    """Fit a model to one data set.

    Parameters
    ----------
    data : DataFrame of shape (n, n_columns)
        Complete in the columns of the model.
    model : str
        A name in `MODELS`. Regressions are ``"ols"``, ``"logit"``, ``"poisson"``, ``"gamma"``,
        ``"ordered_logit"`` and ``"multinomial_logit"``; descriptions are ``"mean"`` (and proportions),
        ``"variance"``, ``"quantile"``, ``"correlation"``, ``"table"`` (shares of cells) and
        ``"cramers_v"``.
    formula : str, optional
        For regressions, as in R: ``"hgt ~ age + phb"``.
    variables : sequence of str, optional
        For descriptions.
    **options
        ``covariance`` for ``ols``, ``logit``, ``poisson`` and ``gamma``: "model" (default), or "HC0",
        "HC1", "HC2" or "HC3" for one that holds for unequal variances, see
        `synth_tasks.inference.robust`; ``probabilities`` for ``quantile``, by default the quartiles.

    Returns
    -------
    ModelFit
        Its ``converged`` is false, with a `ConvergenceWarning`, where iterations did not reach the
        estimates.

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
    asked = check_analysis(model, formula, variables, list(data.columns), options)
    fit = MODELS[model].fit(data, asked, **options)
    if not fit.converged:
        warnings.warn(fit.message, ConvergenceWarning, stacklevel=2)
    return fit


def check_analysis(
    model: str,
    formula: str | None,
    variables: Sequence[str] | None,
    columns: Sequence[str],
    options: Mapping[str, Any] | None = None,
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
    options : mapping of str to value, optional
        Its options.

    Returns
    -------
    Formula or list of str
        The checked formula, or the checked variables.

    Raises
    ------
    ModelError
        If the model is unknown, lacks its formula or variables or is given the wrong one of them,
        if the formula holds what is not allowed, if a column is unknown, or if an option is.
    """
    check_request(model, formula, variables, options)
    if formula:
        return check_formula(formula, columns)
    return _check_variables(model, list(variables or []), columns)


def check_request(
    model: str,
    formula: str | None,
    variables: Sequence[str] | None,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Check what can be checked of an analysis before the columns are known; see `check_analysis`."""
    if model not in MODELS:
        raise ModelError(f"unknown model '{model}': use one of {', '.join(MODELS)}")
    needs = MODELS[model].needs
    given = {"formula": formula, "variables": variables}
    for setting, value in given.items():
        if setting == needs and not value:
            raise ModelError(f"the model '{model}' needs {setting}: add {setting} to the analysis")
        if setting != needs and value:
            raise ModelError(f"the model '{model}' takes no {setting}: give {needs} instead")
    for name, value in (options or {}).items():
        if name not in MODELS[model].options:
            takers = [other for other, entry in MODELS.items() if name in entry.options]
            remedy = f"it is for {', '.join(takers)}" if takers else f"use {', '.join(OPTIONS)}"
            raise ModelError(f"the model '{model}' takes no {name}: {remedy}")
        OPTIONS[name](value)


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


def _check_covariance(value: object) -> None:
    if value not in COVARIANCES:
        raise ModelError(f"covariance must be one of {', '.join(COVARIANCES)}")


# What checks the value of an option.
OPTIONS: dict[str, Callable[[object], None]] = {
    "covariance": _check_covariance,
    "probabilities": check_probabilities,
}

MODELS: dict[str, Model] = {
    "ols": Model(fit_ols, needs="formula", options=("covariance",)),
    "logit": Model(fit_logit, needs="formula", options=("covariance",)),
    "poisson": Model(fit_poisson, needs="formula", options=("covariance",)),
    "gamma": Model(fit_gamma, needs="formula", options=("covariance",)),
    "ordered_logit": Model(fit_ordered, needs="formula"),
    "multinomial_logit": Model(fit_unordered, needs="formula"),
    "mean": Model(fit_mean, needs="variables"),
    "variance": Model(fit_variance, needs="variables"),
    "quantile": Model(fit_quantile, needs="variables", options=("probabilities",)),
    "correlation": Model(fit_correlation, needs="variables"),
    "table": Model(fit_table, needs="variables"),
    "cramers_v": Model(fit_cramers_v, needs="variables"),
}
