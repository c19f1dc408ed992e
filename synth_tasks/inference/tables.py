"""Contingency tables: shares of cells, association, and the test of independence."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pandas as pd

from synth_tasks.errors import ModelError
from synth_tasks.inference.descriptive import check_rows
from synth_tasks.inference.design import as_model_column, check_complete
from synth_tasks.inference.fit import ModelFit

MAX_CELLS = 1000


def fit_table(data: pd.DataFrame, variables: list[str]) -> ModelFit:
    """Estimate the shares of all cells of a table of categorical variables.

    The covariance is (diag p - p p') / (n - 1), as that of proportions of a single variable. Shares
    are pooled as nearly normal, so that intervals are rough for cells with a handful of rows.
    """
    columns = _categories(data, variables, "table")
    shape = tuple(len(column.cat.categories) for column in columns)
    if np.prod(shape) > MAX_CELLS:
        raise ModelError(
            f"the table of {', '.join(variables)} has {np.prod(shape)} cells, at most {MAX_CELLS} are "
            "allowed: leave a variable out or merge levels"
        )
    cells = np.ravel_multi_index([c.cat.codes.to_numpy() for c in columns], shape)
    n = len(data)
    shares = np.bincount(cells, minlength=int(np.prod(shape))) / n
    named = [[f"{c.name}[{level}]" for level in c.cat.categories] for c in columns]
    return ModelFit(
        model="table",
        label=", ".join(variables),
        terms=tuple(":".join(names) for names in product(*named)),
        estimates=shares,
        covariance=(np.diag(shares) - np.outer(shares, shares)) / (n - 1),
        df_residual=float(n - 1),
        n=n,
    )


def fit_cramers_v(data: pd.DataFrame, variables: list[str]) -> ModelFit:
    """Estimate Cramér's V of all pairs of categorical variables, on the scale z = atanh V.

    V² = (sum p_ij² / (p_i p_j) - 1) / min(I - 1, J - 1). Covariances follow from the influence of a
    row, which is the derivative of V by the share of its cell. V cannot be negative: near
    independence it is too large on average and not normal, and whether there is an association at all
    is to be asked of `chi_squared_test` or `likelihood_ratio_test`.

    References
    ----------
    Cramér (1946). Mathematical Methods of Statistics. Princeton University Press, section 21.9.
    Bishop, Fienberg & Holland (1975). Discrete Multivariate Analysis. MIT Press, section 11.3.4.
    """
    if len(variables) < 2:
        raise ModelError("the model 'cramers_v' needs at least two variables")
    columns = _categories(data, variables, "cramers_v")
    estimates, influences, terms = [], [], []
    for a, b in combinations(columns, 2):
        term = f"{a.name}:{b.name}"
        v, influence = _cramers_v(_cross(a, b), term)
        estimates.append(np.arctanh(v))
        influences.append(influence[a.cat.codes, b.cat.codes] / (1.0 - v**2))
        terms.append(term)
    n = len(data)
    return ModelFit(
        model="cramers_v",
        label=", ".join(variables),
        terms=tuple(terms),
        estimates=np.array(estimates),
        covariance=np.atleast_2d(np.cov(influences)) / n,
        df_residual=np.inf,
        n=n,
        scale="fisher_z",
    )


def _cramers_v(counts: np.ndarray, term: str) -> tuple[float, np.ndarray]:
    """Return V and the influence of a row in each cell."""
    least = min(int((counts.sum(axis=axis) > 0).sum()) for axis in (0, 1)) - 1
    if least < 1:
        raise ModelError(f"one variable of '{term}' has a single level: leave it out")
    p = counts / counts.sum()
    rows, columns = p.sum(axis=1, keepdims=True), p.sum(axis=0, keepdims=True)
    expected = rows * columns
    relative = np.divide(p, expected, out=np.zeros_like(p), where=expected > 0)
    parts = p * relative
    # Each margin stands in the denominators of a whole row or column of the sum.
    by_row = np.divide(
        parts.sum(axis=1, keepdims=True), rows, out=np.zeros_like(rows), where=rows > 0
    )
    by_column = np.divide(
        parts.sum(axis=0, keepdims=True), columns, out=np.zeros_like(columns), where=columns > 0
    )
    v = float(np.sqrt(max(0.0, float(parts.sum()) - 1.0) / least))
    if not 1e-8 < v < 1.0 - 1e-8:
        what = "perfect" if v > 0.5 else "exactly absent"
        raise ModelError(
            f"the association '{term}' is {what} and has no standard error: leave one of the two "
            "variables out"
        )
    return v, (2.0 * relative - by_row - by_column) / (2.0 * least * v)


def chi_squared(data: pd.DataFrame, variables: Sequence[str]) -> tuple[float, np.ndarray]:
    """Return Pearson's statistic of independence of two categorical variables, and their table.

    Parameters
    ----------
    data : DataFrame of shape (n, n_columns)
        Complete in the variables.
    variables : sequence of 2 str
        Columns.

    Returns
    -------
    statistic : float
    counts : ndarray of shape (n_levels_1, n_levels_2)

    References
    ----------
    Pearson (1900). On the criterion that a given system of deviations from the probable in the case
    of a correlated system of variables is such that it can be reasonably supposed to have arisen from
    random sampling. Philosophical Magazine 50, 157-175.
    """
    first, second = _categories(data, list(variables), "table")
    counts = _cross(first, second)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    parts = np.divide((counts - expected) ** 2, expected, out=np.zeros_like(expected),
                      where=expected > 0)  # fmt: skip
    return float(parts.sum()), counts


def _cross(first: pd.Series, second: pd.Series) -> np.ndarray:
    counts = np.zeros((len(first.cat.categories), len(second.cat.categories)))
    np.add.at(counts, (first.cat.codes.to_numpy(), second.cat.codes.to_numpy()), 1.0)
    return counts


def _categories(data: pd.DataFrame, variables: list[str], model: str) -> list[pd.Series]:
    check_complete(data, variables)
    check_rows(data, 2, model)
    # A level without rows has the share 0: every set then has the same terms.
    columns = [as_model_column(data[name], allow_empty_levels=True) for name in variables]
    for column in columns:
        if not isinstance(column.dtype, pd.CategoricalDtype):
            raise ModelError(
                f"column '{column.name}' is not categorical: declare it "
                f"(variables.{column.name}.kind: nominal), or leave it out of the model '{model}'"
            )
    return columns
