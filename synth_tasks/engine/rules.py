"""Rules: rows in which a variable can have one value only.

A rule such as ``marital == "single"`` for everybody under 16 is known, not to be estimated: the rows it
holds for are kept out of the fit, and the value is set, not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synth_tasks.data import Label, Schema, Variable
from synth_tasks.engine.passive import evaluate_encoded
from synth_tasks.errors import PlanError
from synth_tasks.expressions import Expression, as_truth

RuleTexts = Mapping[str, Mapping[str, Label | None]]


class Rules:
    """The rules of all variables.

    Parameters
    ----------
    given : mapping of str to mapping of str to label
        For each variable its conditions and values, e.g. ``{"marital": {"age < 16": "single"}}``; None
        stands for a missing value. Where several conditions hold, the first counts.
    schema : Schema
        All variables.

    References
    ----------
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11), section 3.3.
    """

    def __init__(self, given: RuleTexts, schema: Schema) -> None:
        self.schema = schema
        self.conditions: dict[str, list[tuple[Expression, float]]] = {}
        for name, rules in given.items():
            self.conditions[name] = []
            if not isinstance(rules, Mapping):
                raise PlanError(
                    f"rules of '{name}' must map conditions to values, e.g. {{'age < 16': 'single'}}"
                )
            for text, value in rules.items():
                condition = Expression(text, origin=f"rules of '{name}'")
                condition.require_columns(schema.names)
                condition.require_condition()
                self.conditions[name].append((condition, _encode(value, schema[name])))

    def reads(self, name: str) -> frozenset[str]:
        """Return the variables that the rules of a variable look at."""
        return frozenset().union(*(c.names for c, _ in self.conditions.get(name, [])))

    def restrict(
        self, name: str, matrix: np.ndarray, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Tell in which rows a variable is not free, and what it is there.

        Parameters
        ----------
        name : str
            The variable.
        matrix : ndarray of shape (n_rows, n_variables)
            Encoded data, with a value in all cells that the conditions read.
        rows : ndarray of bool of shape (n_rows,)
            Rows in question.

        Returns
        -------
        restricted : ndarray of bool of shape (rows.sum(),)
        values : ndarray of shape (rows.sum(),)
            Encoded; only those of restricted rows count.
        """
        n_rows = int(rows.sum())
        restricted, values = np.zeros(n_rows, dtype=bool), np.full(n_rows, np.nan)
        for condition, value in self.conditions.get(name, []):
            result = evaluate_encoded(condition, self.schema, matrix, rows)
            holds = np.broadcast_to(as_truth(result), n_rows) & ~restricted
            restricted |= holds
            values[holds] = value
        return restricted, values


def _encode(value: Label | None, variable: Variable) -> float:
    problem = ""
    if value is None:
        problem = "" if variable.keep_missing else "missing, but its missing values are not kept"
        encoded = np.nan
    elif variable.is_categorical:
        problem = "" if value in variable.categories else "not one of its categories"
        encoded = float(variable.categories.index(value)) if not problem else np.nan
    else:
        is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        problem = "" if is_number and np.isfinite(value) else "not a number"
        encoded = float(value) if not problem else np.nan
        if not problem and abs(float(variable.round(np.array(encoded))) - encoded) > 1e-12:
            problem = "finer than the decimals of the column"
    if problem:
        raise PlanError(f"rules of '{variable.name}': a value is {problem}: correct the rule")
    return encoded
