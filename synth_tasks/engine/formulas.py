"""Predictors by a model formula: transformations and interactions, whatever the method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synth_tasks.data import Kind, Schema, Variable
from synth_tasks.errors import ModelError, PlanError
from synth_tasks.inference.design import LearntTerms, columns_on_the_right, learn_terms
from synth_tasks.inference.formula import Formula, check_formula


def read_formula(name: str, text: str, schema: Schema) -> Formula:
    """Read the formula of a variable, with or without the variable on its left.

    Parameters
    ----------
    name : str
        The variable to be imputed.
    text : str
        As in R: ``"hgt ~ age * reg + log(wgt)"``, or the right side only.
    schema : Schema
        All variables.

    Returns
    -------
    Formula
    """
    left, tilde, right = text.rpartition("~")
    if tilde and left.strip().strip("`") not in ("", name):
        raise PlanError(f"formulas of '{name}': the left side must be '{name}' or empty")
    try:
        formula = check_formula(f"`{name}` ~ {right}", schema.names)
    except ModelError as error:
        raise PlanError(f"formulas of '{name}': {error}") from None
    for column in predictors_of(formula):
        if column == name:
            raise PlanError(f"formulas of '{name}': a variable cannot predict itself")
        if schema[column].keep_missing:
            raise PlanError(
                f"formulas of '{name}': '{column}' keeps missing values as data, which no formula can "
                "use: name it in the predictor matrix instead"
            )
    return formula


def predictors_of(formula: Formula) -> tuple[str, ...]:
    """Return the variables on the right side of a formula of `read_formula`."""
    return columns_on_the_right(formula)


@dataclass(frozen=True)
class FormulaColumns:
    """The terms of a formula as numeric predictor columns.

    Parameters
    ----------
    positions : tuple of int
        Columns of the predictors in the data.
    variables : tuple of Variable
        Their description.
    terms : LearntTerms
        Learnt on training rows.
    """

    positions: tuple[int, ...]
    variables: tuple[Variable, ...]
    terms: LearntTerms

    @classmethod
    def learn(
        cls,
        schema: Schema,
        names: Sequence[str],
        formula: Formula,
        source: np.ndarray,
        rows: np.ndarray,
        log: Callable[[str], None],
    ) -> FormulaColumns:
        """Learn the terms that read no other variables than `names`."""
        positions = tuple(schema.position(name) for name in names)
        variables = tuple(schema[name] for name in names)
        frame = _as_frame(source[rows], positions, variables)
        with _naming(formula):
            terms, left_out = learn_terms(frame, formula, names)
        if left_out:
            log(f"terms that read variables drawn later are left out: {', '.join(left_out)}")
        return cls(positions, variables, terms)

    @property
    def described(self) -> tuple[Variable, ...]:
        """One number for each column of `matrix`."""
        return tuple(Variable(name, Kind.NUMERIC, "float64") for name in self.terms.names)

    def matrix(self, source: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return predictors for rows of encoded data."""
        with _naming(self.terms.formula):
            return self.terms.columns(_as_frame(source[rows], self.positions, self.variables))


@contextmanager
def _naming(formula: Formula) -> Iterator[None]:
    """Say whose formula an error is about, and how drawn values can be kept in its domain."""
    try:
        yield
    except ModelError as error:
        raise PlanError(
            f"formulas of '{formula.response}': {error} (drawn values too must suit it: bound them by "
            "`post`)"
        ) from None


def _as_frame(
    rows: np.ndarray, positions: Sequence[int], variables: Sequence[Variable]
) -> pd.DataFrame:
    """Return numbers as they are and categories as such, whatever the dtype of the source."""
    columns = {}
    for position, variable in zip(positions, variables, strict=True):
        values = rows[:, position]
        if not variable.is_categorical:
            columns[variable.name] = pd.Series(values)
            continue
        dtype = pd.CategoricalDtype(variable.categories, ordered=variable.kind is Kind.ORDINAL)
        coded = pd.Categorical.from_codes(values.astype(int), dtype=dtype)
        columns[variable.name] = pd.Series(coded)
    return pd.DataFrame(columns, index=range(len(rows)))
