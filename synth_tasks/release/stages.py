"""What is computed in each stage of a release, from data frames and specification."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from pydantic import SecretStr

from synth_tasks.data import Schema, Variable, encode, infer_schema
from synth_tasks.errors import DataError, PlanError
from synth_tasks.release.analysis import check_analyses
from synth_tasks.release.codebook import Codebook
from synth_tasks.release.disclosure_control import check_steps
from synth_tasks.release.formats import check_formats
from synth_tasks.release.identifiers import (
    WholeNumbers,
    count_whole_numbers,
    looks_like_identifier,
)
from synth_tasks.release.limits import check_categories, check_columns
from synth_tasks.release.plans import (
    disclosure_keys,
    formulas,
    plan_imputation,
    plan_synthesis,
    require_columns,
)
from synth_tasks.release.rehearsal import rows_to_try, try_imputation, try_synthesis
from synth_tasks.release.sections import VariableSpec
from synth_tasks.release.source import read_documented
from synth_tasks.release.spec import ReleaseSpec


@dataclass(frozen=True)
class SourceTable:
    """The confidential data, read and described.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded.
    schema : Schema
        Its description.
    codebook : Codebook
        Labels and codes of the columns.
    """

    matrix: np.ndarray
    schema: Schema
    codebook: Codebook = field(default_factory=Codebook)

    @property
    def missing_values(self) -> dict[str, int]:
        """Number of missing values of each variable that wait to be filled."""
        return dict.fromkeys(self.schema.names, 0) | self.schema.count_holes(self.matrix)


def load_source(spec: ReleaseSpec, database_url: SecretStr | None = None) -> SourceTable:
    """Read and describe the data, and check everything that can be checked before long work.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    database_url : SecretStr, optional
        Address of the database, for a query; found in `url_env` if not given.

    Returns
    -------
    SourceTable

    Raises
    ------
    DataError, SpecError, PlanError, ExpressionError
        One line that names the column or setting and the remedy.
    """
    frame, codebook = read_documented(spec, database_url)
    overrides = {name: variable.as_override() for name, variable in spec.variables.items()}
    schema = infer_schema(frame, overrides)
    check_categories(schema)
    table = SourceTable(encode(frame, schema), schema, codebook)
    check_source(spec, table)
    return table


def check_source(spec: ReleaseSpec, table: SourceTable) -> None:
    """Check everything that can be checked of a specification with its data; see `load_source`."""
    check_columns(spec, table.schema)
    if spec.dataset.source.builtin is None:
        check_publishable(spec, table)
    check_models(spec, table)


def check_models(spec: ReleaseSpec, table: SourceTable) -> None:
    """Check what is planned with the data, or with some rows of them, by trying it."""
    schema = table.schema
    check_formats(spec.publish.formats, schema)
    imputation, _ = plan_imputation(spec, schema, table.matrix)
    filled = fill_provisionally(table.matrix, schema)
    synthesis = plan_synthesis(spec, schema, filled)
    rows = rows_to_try(table.matrix, schema)
    if len(rows):
        try_imputation(imputation, table.matrix, rows)
        try_synthesis(spec, synthesis, filled, rows)
    check_disclosure(spec, schema)
    check_steps(spec, schema, filled)
    check_analyses(spec.analysis, schema, filled)


def check_publishable(spec: ReleaseSpec, table: SourceTable) -> None:
    """Refuse columns that would publish identifiers, or categories of very few people.

    A synthetic value is a value of the data. That is no disclosure where many share it, but it is for
    a number that belongs to one person, or a category with a person's name.

    Raises
    ------
    DataError
        Unless the specification declares the column.
    """
    for variable in table.schema:
        values = table.matrix[:, table.schema.position(variable.name)]
        values = values[~np.isnan(values)]
        if variable.is_categorical:
            counts = np.bincount(values.astype(int), minlength=len(variable.categories))
            refuse_rare_categories(spec, variable, counts)
        else:
            refuse_identifier(spec, variable, count_whole_numbers(values))


def refuse_identifier(spec: ReleaseSpec, variable: Variable, numbers: WholeNumbers) -> None:
    """Refuse numbers that would publish persons; see `check_publishable`.

    Parameters
    ----------
    spec : ReleaseSpec
        What it declares.
    variable : Variable
        The column.
    numbers : WholeNumbers
        Its values.
    """
    if variable.name in spec.variables and spec.variables[variable.name].kind is not None:
        return
    if looks_like_identifier(variable, numbers):
        shared = "" if numbers.repeated else "a different one in every row, "
        raise DataError(
            f"column '{variable.name}' holds whole numbers, {shared}like an identifier: drop it "
            f"(dataset.drop) or declare variables.{variable.name}.kind"
        )


def refuse_rare_categories(spec: ReleaseSpec, variable: Variable, counts: np.ndarray) -> None:
    """Refuse categories that would publish persons; see `check_publishable`.

    Parameters
    ----------
    spec : ReleaseSpec
        What it declares.
    variable : Variable
        The column.
    counts : ndarray of int of shape (n_categories,)
        Rows of each category.
    """
    declared = spec.variables.get(variable.name, VariableSpec())
    if declared.categories is None:
        least = spec.disclosure.min_category_count
        n_rare = int((counts < least).sum())
        if n_rare:
            raise DataError(
                f"column '{variable.name}' has {n_rare} categories seen in fewer than {least} "
                "rows, whose names would be published: merge them, drop the column "
                f"(dataset.drop) or declare variables.{variable.name}.categories"
            )


def fill_provisionally(matrix: np.ndarray, schema: Schema) -> np.ndarray:
    """Fill holes with other values of the column, only to try whether a model can be fitted.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded, with at least one value in every column.
    schema : Schema
        Tells which missing values are data.

    Returns
    -------
    ndarray of shape (n_rows, n_variables)
        Complete.
    """
    filled = matrix.copy(order="F")
    for column, holes in zip(filled.T, schema.holes(matrix).T, strict=True):
        column[holes] = np.resize(column[~holes], int(holes.sum()))
    return filled


def check_disclosure(spec: ReleaseSpec, schema: Schema) -> None:
    """Refuse keys and targets that the data do not have."""
    require_columns("disclosure.keys", list(spec.disclosure.key_variables), schema)
    require_columns("disclosure.targets", list(spec.disclosure.targets), schema)


def disclosure_targets(spec: ReleaseSpec, schema: Schema) -> list[str]:
    """Return the sensitive columns: those of the spec, or all that are no keys and not passive."""
    if spec.disclosure.targets:
        return list(spec.disclosure.targets)
    apart = {*disclosure_keys(spec, schema), *formulas(spec.synthesis.method_by_variable)}
    return [name for name in schema.names if name not in apart]


def require_complete(matrix: np.ndarray, schema: Schema) -> None:
    """Refuse to synthesise data in which the imputation left holes."""
    for name, count in schema.count_holes(matrix).items():
        raise PlanError(
            f"imputation: column '{name}' still has {count} missing values: give it a method in "
            "imputation.method"
        )


def shuffle(matrix: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put rows in random order, so that their position tells nothing about their making."""
    return matrix[rng.permutation(len(matrix))]
