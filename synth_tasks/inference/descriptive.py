"""Means, proportions, variances and correlations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from synth_tasks.errors import ModelError
from synth_tasks.inference.design import as_model_column, check_complete
from synth_tasks.inference.fit import ModelFit

CORRELATION_ROWS = 4


def fit_mean(data: pd.DataFrame, variables: list[str]) -> ModelFit:
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
    """Estimate the means of the columns of an array; see `fit_mean`."""
    check_rows(x, 2, "mean")
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


def fit_variance(data: pd.DataFrame, variables: list[str]) -> ModelFit:
    """Estimate variances of numeric variables on a logarithmic scale.

    log s² has the variance (g - (n - 3) / n) / (n - 1) with g the kurtosis, 3 for a normal variable,
    for which this is nearly the usual 2 / (n - 1). Unlike that it holds for other distributions too.
    The fourth moment in g is taken about a trimmed mean, which makes it large enough where tails are
    heavy.
    Two log s² correlate as the squared deviations of their variables do.

    In simulations intervals of 95 % covered 93.7 to 96 % with 50 rows of normal and uniform variables;
    with 50, 200 and 1000 rows of exponential ones 87, 92 and 95 %, for few rows show little of a tail.

    References
    ----------
    Bonett (2006). Approximate confidence interval for standard deviation of nonnormal distributions.
    Computational Statistics and Data Analysis 50, 775-782.
    """
    x = numeric_columns(data, variables, "variance", least_rows=5)
    n = len(x)
    deviations = x - x.mean(axis=0)
    squares = (deviations**2).sum(axis=0)
    trimmed = stats.trim_mean(x, min(0.45, 0.5 / np.sqrt(n - 4)), axis=0)
    kurtosis = n * ((x - trimmed) ** 4).sum(axis=0) / squares**2
    # The kurtosis is at least 1, for a variable with two values half and half.
    std_errors = np.sqrt((np.maximum(kurtosis, 1.0) - (n - 3) / n) / (n - 1))
    return ModelFit(
        model="variance",
        label=", ".join(variables),
        terms=tuple(variables),
        estimates=np.log(squares / (n - 1)),
        covariance=correlate(deviations**2) * np.outer(std_errors, std_errors),
        df_residual=np.inf,
        n=n,
        scale="log",
    )


def fit_correlation(data: pd.DataFrame, variables: list[str]) -> ModelFit:
    """Estimate the correlations of all pairs on Fisher's z scale.

    z = atanh r has the variance 1 / (n - 3); covariances between two z follow from the asymptotic
    covariance of two correlations under normality.

    References
    ----------
    Fisher (1921). On the "probable error" of a coefficient of correlation. Metron 1, 3-32.
    Steiger (1980). Tests for comparing elements of a correlation matrix. Psychological Bulletin 87,
    245-251, equation 3.
    """
    if len(variables) < 2:
        raise ModelError("the model 'correlation' needs at least two variables")
    return correlations(
        numeric_columns(data, variables, "correlation", CORRELATION_ROWS), variables
    )


def correlations(x: np.ndarray, variables: list[str]) -> ModelFit:
    """Estimate the correlations of the columns of an array; see `fit_correlation`."""
    check_numeric(x, variables, "correlation", CORRELATION_ROWS)
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


def numeric_columns(
    data: pd.DataFrame, variables: list[str], model: str, least_rows: int
) -> np.ndarray:
    """Return numeric variables that vary.

    Parameters
    ----------
    data : DataFrame of shape (n, n_columns)
        Complete in the variables.
    variables : list of str, length k
        Columns.
    model : str
        Who asks.
    least_rows : int
        Rows that the model needs.

    Returns
    -------
    ndarray of shape (n, k)
    """
    x = numbers(data, variables, model)
    check_numeric(x, variables, model, least_rows)
    return x


def numbers(data: pd.DataFrame, variables: list[str], model: str) -> np.ndarray:
    """Return numeric variables, whether they vary or not; see `numeric_columns`."""
    check_complete(data, variables)
    columns = [as_model_column(data[name], allow_empty_levels=True) for name in variables]
    for column in columns:
        if isinstance(column.dtype, pd.CategoricalDtype):
            raise _not_numeric(str(column.name), model)
    return np.column_stack([column.to_numpy() for column in columns])


def check_numeric(x: np.ndarray, variables: Sequence[str], model: str, least_rows: int) -> None:
    """Refuse columns that are too short, infinite or constant."""
    check_rows(x, least_rows, model)
    _check_numbers_finite(x, variables)
    for name, constant in zip(variables, (x == x[0]).all(axis=0), strict=True):
        if constant:
            raise _not_numeric(name, model)


def _not_numeric(name: str, model: str) -> ModelError:
    return ModelError(
        f"column '{name}' is not numeric or is constant: leave it out of the model '{model}'"
    )


def check_rows(data: pd.DataFrame | np.ndarray, minimum: int, model: str) -> None:
    """Refuse tables that are too short."""
    if len(data) < minimum:
        raise ModelError(f"the model '{model}' needs at least {minimum} rows, not {len(data)}")


def correlate(x: np.ndarray) -> np.ndarray:
    """Return the correlations of columns; a constant one correlates with itself only."""
    centred = x - x.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    unit = centred / np.where(lengths > 0, lengths, 1.0)
    correlations = np.asarray(unit.T @ unit)
    np.fill_diagonal(correlations, 1.0)
    return correlations


def _check_numbers_finite(x: np.ndarray, names: Sequence[str]) -> None:
    infinite = np.flatnonzero(~np.isfinite(x).all(axis=0))
    if len(infinite):
        raise ModelError(f"column '{names[infinite[0]]}' has infinite values: mend the column")
