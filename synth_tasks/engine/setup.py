"""Helpers that make the arguments of `mice`, to be edited before use; they mirror R's ``make.*``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from synth_tasks.data import Kind, Schema, infer_schema
from synth_tasks.errors import PlanError

DEFAULT_METHODS: Mapping[Kind, str] = {
    Kind.NUMERIC: "pmm",
    Kind.INTEGER: "pmm",
    Kind.DATETIME: "pmm",
    Kind.BOOLEAN: "logreg",
    Kind.BINARY: "logreg",
    Kind.NOMINAL: "polyreg",
    Kind.ORDINAL: "polr",
}
WHERE_KEYWORDS = ("missing", "all", "none", "observed")
VISIT_KEYWORDS = ("roman", "arabic", "monotone", "revmonotone")


def make_method(
    data: pd.DataFrame,
    where: str | pd.DataFrame = "missing",
    schema: Schema | None = None,
) -> dict[str, str]:
    """Choose the default method of every variable by its kind.

    Parameters
    ----------
    data : DataFrame of shape (n_rows, n_columns)
        The data to be imputed.
    where : str or DataFrame of bool, default "missing"
        Cells to impute; see `make_where`.
    schema : Schema, optional
        Inferred if not given.

    Returns
    -------
    dict of str to str
        pmm for numbers, logreg for two categories, polyreg for more, polr for ordered ones; the empty
        string for columns without cells to impute.
    """
    schema = schema or infer_schema(data)
    mask = make_where(data, where) if isinstance(where, str) else where
    return {v.name: DEFAULT_METHODS[v.kind] if mask[v.name].any() else "" for v in schema}


def make_predictor_matrix(data: pd.DataFrame) -> pd.DataFrame:
    """Let every variable predict every other.

    Returns
    -------
    DataFrame of shape (n_columns, n_columns), int
        Row: the variable to be imputed. Column: 1 if that variable is used as its predictor.
    """
    ones = np.ones((data.shape[1], data.shape[1]), dtype=int) - np.eye(data.shape[1], dtype=int)
    return pd.DataFrame(ones, index=data.columns, columns=data.columns)


def make_where(
    data: pd.DataFrame, keyword: Literal["missing", "all", "none", "observed"] | str = "missing"
) -> pd.DataFrame:
    """Mark the cells to be imputed.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns), bool
    """
    missing = data.isna()
    if keyword == "missing":
        return missing
    if keyword == "observed":
        return ~missing
    if keyword in ("all", "none"):
        return missing | True if keyword == "all" else missing & False
    raise PlanError(f"where: unknown keyword '{keyword}'; use {', '.join(WHERE_KEYWORDS)}")


def make_post(data: pd.DataFrame) -> dict[str, str]:
    """Return an empty post-processing formula for every variable.

    A formula such as ``"clip(tv, 1, 25)"`` is applied to the values drawn for the variable.
    """
    return {str(name): "" for name in data.columns}


def make_visit_sequence(
    data: pd.DataFrame,
    keyword: Literal["roman", "arabic", "monotone", "revmonotone"] | str = "roman",
    where: pd.DataFrame | None = None,
) -> list[str]:
    """Order the columns for imputation.

    Parameters
    ----------
    data : DataFrame
        The data to be imputed.
    keyword : {"roman", "arabic", "monotone", "revmonotone"}, default "roman"
        Left to right, right to left, by increasing or by decreasing number of cells to impute.
    where : DataFrame of bool, optional
        Cells to impute; the missing ones if not given.

    Returns
    -------
    list of str
    """
    mask = make_where(data) if where is None else where
    return order_columns(list(data.columns), mask.to_numpy().sum(axis=0), keyword)


def order_columns(names: Sequence[str], n_cells: np.ndarray, keyword: str) -> list[str]:
    """Order names by a keyword of `make_visit_sequence`; ties keep the column order."""
    if keyword == "roman":
        return list(names)
    if keyword == "arabic":
        return list(names)[::-1]
    if keyword in ("monotone", "revmonotone"):
        counts = n_cells if keyword == "monotone" else -n_cells
        return [names[i] for i in np.argsort(counts, kind="stable")]
    raise PlanError(
        f"visit_sequence: unknown keyword '{keyword}'; use {', '.join(VISIT_KEYWORDS)} or list names"
    )
