"""What a release can hold at most, and which texts it may hold."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from synth_tasks.data import Schema, check_names
from synth_tasks.data.closest import columns_there
from synth_tasks.errors import DataError, SpecError
from synth_tasks.release.formats import LONG
from synth_tasks.release.sections import DatasetSpec, VariableSpec
from synth_tasks.release.spec import ReleaseSpec

# Every column may predict every other one: time and memory grow with the square.
MAX_COLUMNS = 2000
MAX_CATEGORIES = 10_000

# A spreadsheet takes a cell for a formula if it begins with one of these; the last four are the wide
# forms of = + - @, which some programs read alike.
FORMULA_SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?%?")


def check_header(names: Sequence[str], dataset: DatasetSpec) -> None:
    """Refuse what the names of the columns tell, before a row is read.

    Parameters
    ----------
    names : sequence of str
        Of all columns, those to drop too.
    dataset : DatasetSpec
        Names the columns to drop.

    Raises
    ------
    DataError
        If a name cannot be used, or more columns are left than can be modelled.
    SpecError
        If a column to drop is not there.
    """
    check_names(names)
    there = set(names)
    for name in dataset.drop:
        if name not in there:
            raise SpecError(f"dataset.drop: unknown column '{name}'; {columns_there(name, names)}")
    check_width(len(there) - len(set(dataset.drop)))


def check_width(n_columns: int) -> None:
    """Refuse tables with more columns than can be modelled."""
    if n_columns > MAX_COLUMNS:
        raise DataError(
            f"the data have {n_columns} columns; at most {MAX_COLUMNS} can be released: keep those "
            "that are needed"
        )


def check_columns(spec: ReleaseSpec, schema: Schema) -> None:
    """Refuse columns that cannot be published as they are; the data sets of this package can.

    Parameters
    ----------
    spec : ReleaseSpec
        Tells source and formats, and what was declared.
    schema : Schema
        Variables of the data.

    Raises
    ------
    DataError
        Naming column and remedy, no category.
    """
    if spec.dataset.source.builtin is None:
        check_spreadsheet_formulas(spec, schema)
        check_empty_categories(spec, schema)


def check_categories(schema: Schema) -> None:
    """Refuse columns with more categories than can be modelled."""
    for variable in schema:
        if len(variable.categories) > MAX_CATEGORIES:
            raise DataError(
                f"column '{variable.name}' has {len(variable.categories)} categories; at most "
                f"{MAX_CATEGORIES} can be released: merge them or drop it (dataset.drop)"
            )


def check_spreadsheet_formulas(spec: ReleaseSpec, schema: Schema) -> None:
    r"""Refuse texts that a spreadsheet would run as a formula, unless the specification declares them.

    Whoever opens a published CSV file in a spreadsheet would run what somebody has written into a text
    field. The names of columns are in every release, in the tables of figures and estimates; categories
    only if the sets are published as CSV. A text is refused if it begins with ``= + - @``, tab or line
    break and goes on, and is no number. It is not changed in silence: the sets would differ from what
    was measured and pooled. A category that is listed in `variables`, or the name of a column that is,
    was seen by a person and is published as it is. Numbers, a lone ``+`` or ``-`` are never formulas.

    Parameters
    ----------
    spec : ReleaseSpec
        Tells whether the sets are published as CSV files, and what was declared.
    schema : Schema
        Variables of the data.

    Raises
    ------
    DataError
        Naming column and remedy, not the text.

    References
    ----------
    OWASP, CSV Injection.
    """
    in_cells = bool({"csv", LONG} & set(spec.publish.formats))
    for variable in schema:
        declared = spec.variables.get(variable.name)
        if declared is None and runs_as_formula(variable.name):
            raise DataError(
                f"column '{variable.name}' has a name that a spreadsheet runs as a formula: rename it, "
                "or declare it in variables"
            )
        if in_cells and (declared or VariableSpec()).categories is None:
            count = sum(map(runs_as_formula, variable.categories))
            if count:
                raise DataError(
                    f"column '{variable.name}' has {count} categories that a spreadsheet runs as "
                    "formulas (they begin with =, +, -, @, tab or line break): recode them, declare "
                    f"variables.{variable.name}.categories, or publish no csv"
                )


def check_empty_categories(spec: ReleaseSpec, schema: Schema) -> None:
    """Refuse an empty text as a category where sets are published as CSV: there it means missing.

    Parameters
    ----------
    spec : ReleaseSpec
        Tells the formats.
    schema : Schema
        Variables of the data.

    Raises
    ------
    DataError
        Naming column and remedy.
    """
    if not {"csv", LONG} & set(spec.publish.formats):
        return
    for variable in schema:
        if "" in variable.categories:
            raise DataError(
                f"column '{variable.name}' has an empty text as a category, which CSV cannot tell from "
                "a missing value: recode it, or publish no csv (publish.formats)"
            )


def safe_csv(frame: pd.DataFrame) -> str:
    """Write a table of figures as CSV without cells that a spreadsheet runs.

    A declared name of a column or the label of a stratum may look like a formula: it gets an apostrophe
    in front, which tells a spreadsheet that it is text. Columns of numbers are as they are.

    Parameters
    ----------
    frame : DataFrame
        Figures, with texts that name them; no synthetic set.

    Returns
    -------
    str

    References
    ----------
    OWASP, CSV Injection.
    """
    texts = frame.select_dtypes(exclude=["number", "bool"])
    safe = texts.map(lambda cell: f"'{cell}" if runs_as_formula(cell) else cell)
    return str(frame.assign(**safe).to_csv(index=False, lineterminator="\n"))


def runs_as_formula(label: object) -> bool:
    """Tell whether a spreadsheet runs the text of a cell; numbers and single signs it does not."""
    return (
        isinstance(label, str)
        and len(label) > 1
        and label[0] in FORMULA_SIGNS
        and NUMBER.fullmatch(label) is None
    )
