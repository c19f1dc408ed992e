"""What a release can hold at most, and which texts it may hold."""

from __future__ import annotations

import re
from collections.abc import Iterable

from synth_tasks.data import Schema
from synth_tasks.errors import DataError
from synth_tasks.release.formats import LONG
from synth_tasks.release.sections import VariableSpec
from synth_tasks.release.spec import ReleaseSpec

# Every column may predict every other one: time and memory grow with the square.
MAX_COLUMNS = 2000
MAX_CATEGORIES = 10_000

# A spreadsheet takes a cell for a formula if it begins with one of these; the last four are the wide
# forms of = + - @, which some programs read alike.
FORMULA_SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?%?")


def check_width(n_columns: int) -> None:
    """Refuse tables with more columns than can be modelled."""
    if n_columns > MAX_COLUMNS:
        raise DataError(
            f"the data have {n_columns} columns; at most {MAX_COLUMNS} can be released: keep those "
            "that are needed"
        )


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
    field. A text is refused if it begins with ``= + - @``, tab or line break and goes on, and is no
    number. It is not changed in silence: the sets would differ from what was measured and pooled. A
    category that is listed in `variables`, or the name of a column that is, was seen by a person and is
    published as it is. Numbers and a lone ``+`` or ``-`` are never formulas.

    Parameters
    ----------
    spec : ReleaseSpec
        Tells whether CSV files are published, and what was declared.
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
    if not {"csv", LONG} & set(spec.publish.formats):
        return
    for variable in schema:
        declared = spec.variables.get(variable.name)
        if declared is None and _n_formulas([variable.name]):
            raise DataError(
                f"column '{variable.name}' has a name that a spreadsheet runs as a formula: rename it, "
                "declare it in variables, or publish no csv"
            )
        if (declared or VariableSpec()).categories is None:
            count = _n_formulas(variable.categories)
            if count:
                raise DataError(
                    f"column '{variable.name}' has {count} categories that a spreadsheet runs as "
                    "formulas (they begin with =, +, -, @, tab or line break): recode them, declare "
                    f"variables.{variable.name}.categories, or publish no csv"
                )


def _n_formulas(labels: Iterable[object]) -> int:
    return sum(
        isinstance(label, str)
        and len(label) > 1
        and label[0] in FORMULA_SIGNS
        and NUMBER.fullmatch(label) is None
        for label in labels
    )
