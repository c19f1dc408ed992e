"""Passive variables: computed from others by a formula, never predicted."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from synth_tasks.data import Schema, Variable
from synth_tasks.errors import DataError
from synth_tasks.expressions import Expression, as_truth, dependency_order


class PassiveVariables:
    """The passive variables of a plan, in the order in which they must be computed.

    Parameters
    ----------
    formulas : mapping of str to str
        Passive variable and its formula, e.g. ``{"bmi": "~ wgt / (hgt/100)**2"}``.
    schema : Schema
        All variables.
    """

    def __init__(self, formulas: Mapping[str, str], schema: Schema) -> None:
        self.schema = schema
        self.expressions = {
            name: Expression(text, origin=f"method of '{name}'") for name, text in formulas.items()
        }
        for expression in self.expressions.values():
            expression.require_columns(schema.names)
        self.order = dependency_order(self.expressions)

    def inputs(self, name: str) -> frozenset[str]:
        """Return all variables a passive one depends on, through other passive ones too."""
        direct = self.expressions[name].names
        indirect = (self.inputs(i) for i in direct if i in self.expressions)
        return direct.union(*indirect)

    def ready(self, done: Collection[str]) -> list[str]:
        """Return the passive variables whose inputs are all in `done`, in dependency order."""
        found: list[str] = []
        for name in self.order:
            if self.expressions[name].names <= {*done, *found}:
                found.append(name)
        return found

    def affected_by(self, name: str) -> list[str]:
        """Return the passive variables that depend on `name`, in dependency order."""
        return [passive for passive in self.order if name in self.inputs(passive)]

    def compute(self, name: str, matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Compute a passive variable.

        Parameters
        ----------
        name : str
            The passive variable.
        matrix : ndarray of shape (n_rows, n_variables)
            Encoded data; the inputs hold no missing value in `rows`.
        rows : ndarray of bool of shape (n_rows,)
            Rows to compute.

        Returns
        -------
        ndarray of shape (rows.sum(),)
            Encoded values, exactly as computed: not rounded.
        """
        variable, expression = self.schema[name], self.expressions[name]
        result = evaluate_encoded(expression, self.schema, matrix, rows)
        return encode_result(result, variable, expression, int(rows.sum()))


def evaluate_condition(condition: Expression, schema: Schema, matrix: np.ndarray) -> np.ndarray:
    """Return the rows for which a condition holds, an array of bool of shape (n_rows,).

    With a missing value no comparison holds, so that its negation by ``not`` does.
    """
    columns = {
        name: _labels(matrix[:, schema.position(name)], schema[name]) for name in condition.names
    }
    return np.broadcast_to(as_truth(condition.evaluate(columns)), len(matrix))


def _labels(values: np.ndarray, variable: Variable) -> np.ndarray:
    """Return numbers as they are and categories as their labels; None where there is none."""
    if not variable.is_categorical:
        return values
    codes = np.where(np.isnan(values), -1, values).astype(int)
    return np.array([*variable.categories, None], dtype=object)[codes]


def evaluate_encoded(
    expression: Expression, schema: Schema, matrix: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Evaluate a formula on rows of an encoded matrix; categories appear as their labels.

    Missing values that are kept as data are NaN, or None in place of a label: no comparison holds.
    """
    columns = {}
    for name in expression.names:
        variable = schema[name]
        values = matrix[rows, schema.position(name)]
        n_missing = int(np.isnan(values).sum())
        if n_missing and not variable.keep_missing:
            raise DataError(
                f"{expression.origin}: '{name}' has no value in {n_missing} of {len(values)} rows: "
                "give it a method, and visit it earlier"
            )
        columns[name] = _labels(values, variable)
    return expression.evaluate(columns)


def encode_result(
    result: np.ndarray, variable: Variable, expression: Expression, n_rows: int
) -> np.ndarray:
    """Turn the result of a formula into encoded values, or say how many rows have none.

    A variable that keeps missing values as data may get them: NaN, or None for a category.
    """
    result = np.broadcast_to(result, n_rows)
    if variable.is_categorical:
        codes = {label: float(i) for i, label in enumerate(variable.categories)}
        encoded = np.array([codes.get(label, np.nan) for label in result.tolist()], dtype=float)
        no_value = np.array([label is None for label in result.tolist()], dtype=bool)
        problem = "a value that is not one of the variable's categories"
    else:
        try:
            encoded = result.astype(float)
        except (TypeError, ValueError):
            encoded = np.full(n_rows, np.inf)
        no_value = np.isnan(encoded)
        problem = "no finite number"
    accepted = np.isfinite(encoded) | (no_value & variable.keep_missing)
    n_bad = int((~accepted).sum())
    if n_bad:
        raise DataError(
            f"{expression.origin}: the formula gives {problem} in {n_bad} of {n_rows} rows: "
            "guard it, e.g. with max() or where()"
        )
    return encoded
