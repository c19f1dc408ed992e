"""Suites made from schema and specification, for data sets that bring none of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from expectations.suites import Suite
from synth_tasks.data import Kind, Schema, Variable
from synth_tasks.engine.passive import evaluate_encoded
from synth_tasks.expressions import Expression

RESIDUAL = "{}__residual"


def source_suite(schema: Schema) -> Suite:
    """Expect the columns and domains of the schema in the data as they arrive."""
    return _suite("source", [_columns(schema.names), *_domains(schema)])


def completed_suite(schema: Schema, relations: Iterable[str]) -> Suite:
    """Expect complete columns; that relations hold is not asked of observed values."""
    names = [*schema.names, *(RESIDUAL.format(name) for name in relations)]
    return _suite(
        "completed", [_columns(names), *_complete(schema), *_domains(schema), _row_count()]
    )


def synthetic_suite(schema: Schema, formulas: Iterable[str]) -> Suite:
    """Expect in a synthetic set what a user will rely on."""
    names = [*schema.names, *(RESIDUAL.format(name) for name in formulas)]
    relations = [_exact(name) for name in formulas]
    return _suite(
        "synthetic",
        [_columns(names), *_complete(schema), *_domains(schema), *relations, _row_count()],
    )


def add_residuals(
    frame: pd.DataFrame, matrix: np.ndarray, schema: Schema, formulas: Mapping[str, str]
) -> pd.DataFrame:
    """Append, for every passive variable, how far it is from its formula.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_variables)
        The table to be validated.
    matrix : ndarray of shape (n_rows, n_variables)
        The same, encoded.
    schema : Schema
        Description of both.
    formulas : mapping of str to str
        Passive variables and their formulas.

    Returns
    -------
    DataFrame
        With a column ``<name>__residual``: the absolute difference, or 0 and 1 for categories;
        missing where an input is missing.
    """
    residuals = {}
    for name, text in formulas.items():
        expression = Expression(text, origin=f"formula of '{name}'")
        inputs = [schema.position(n) for n in expression.names]
        own = matrix[:, schema.position(name)]
        known = ~np.isnan(matrix[:, inputs]).any(axis=1) & ~np.isnan(own)
        computed = np.broadcast_to(
            evaluate_encoded(expression, schema, matrix, known), int(known.sum())
        )
        residual = np.full(len(matrix), np.nan)
        residual[known] = _difference(own[known], computed, schema[name])
        residuals[RESIDUAL.format(name)] = residual
    return frame.assign(**residuals)


def _difference(own: np.ndarray, computed: np.ndarray, variable: Variable) -> np.ndarray:
    if variable.is_categorical:
        labels = np.array(variable.categories, dtype=object)[own.astype(int)]
        return (labels != computed).astype(float)
    return np.abs(own - computed.astype(float))


# --- parts ----------------------------------------------------------------------------------------


def _suite(name: str, expectations: list[dict[str, Any]]) -> Suite:
    return {"name": name, "expectations": expectations}


def _item(kind: str, description: str, **kwargs: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "kwargs": kwargs,
        "severity": "critical",
        "description": description,
        "meta": {"source": "made from the schema"},
    }


def _columns(names: list[str]) -> dict[str, Any]:
    return _item(
        "expect_table_columns_to_match_ordered_list",
        f"the columns are {', '.join(names)}",
        column_list=names,
    )


def _row_count() -> dict[str, Any]:
    return _item(
        "expect_table_row_count_to_equal",
        "the number of rows is as specified",
        value={"$PARAMETER": "n_rows"},
    )


def _complete(schema: Schema) -> list[dict[str, Any]]:
    return [
        _item("expect_column_values_to_not_be_null", f"{name} is never missing", column=name)
        for name in (v.name for v in schema if not v.keep_missing)
    ]


def _domains(schema: Schema) -> list[dict[str, Any]]:
    return [
        _item(
            "expect_column_values_to_be_in_set",
            f"{v.name} is one of its {len(v.categories)} categories",
            column=v.name,
            value_set=list(v.categories),
        )
        for v in schema
        if v.is_categorical and v.kind is not Kind.BOOLEAN
    ]


def _exact(name: str) -> dict[str, Any]:
    return _item(
        "expect_column_values_to_be_between",
        f"{name} is exactly what its formula gives",
        column=RESIDUAL.format(name),
        min_value=0,
        max_value=1e-9,
    )
