"""SPSS and Stata files with value labels, their order, variable labels and missing codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.data import MICROSECONDS_A_DAY, Kind, Label, Schema, Variable
from synth_tasks.errors import DataError
from synth_tasks.files import sync
from synth_tasks.release.bundle import PUBLIC_FILE
from synth_tasks.release.codebook import Codebook, ColumnNotes
from synth_tasks.release.sources.readstat import require_pyreadstat

NAMES = {
    "spss": re.compile(r"^[^\W\d_][\w.@#$]{0,63}(?<![._])$"),
    "stata": re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,31}$"),
}
RESERVED = {
    "spss": {"ALL", "AND", "BY", "EQ", "GE", "GT", "LE", "LT", "NE", "NOT", "OR", "TO", "WITH"},
    "stata": {"byte", "double", "float", "if", "in", "int", "long", "using", "with", "str"},
}
TITLES = {"spss": "SPSS", "stata": "Stata"}
MAX_LABEL = {"spss": 256, "stata": 80}
MAX_VALUE_LABEL_BYTES = 120
MAX_MISSING_CODES = 3
LARGEST_INT32 = 2_147_483_620  # Stata keeps those above for its missing values


def check_labelled(kind: str, schema: Schema) -> None:
    """Refuse columns that SPSS or Stata cannot hold; see `check_formats`."""
    require_pyreadstat(f"publish.formats: {kind}")
    seen: set[str] = set()
    for variable in schema:
        name = variable.name
        known = name.upper() if kind == "spss" else name  # SPSS does not tell A from a
        if not NAMES[kind].match(name) or known in RESERVED[kind] or known in seen:
            raise DataError(
                f"column '{name}' has a name that {TITLES[kind]} does not allow: rename it, or leave "
                f"{kind} out of publish.formats"
            )
        seen.add(known)
        longest = max((len(str(label).encode()) for label in variable.categories), default=0)
        if kind == "spss" and longest > MAX_VALUE_LABEL_BYTES:
            raise DataError(
                f"column '{name}' has a category of more than {MAX_VALUE_LABEL_BYTES} bytes, which "
                "SPSS does not allow: shorten it, or leave spss out of publish.formats"
            )


@dataclass(frozen=True)
class _Column:
    """A column as the file holds it."""

    values: pd.Series
    labels: dict[Any, str] = field(default_factory=dict)
    missing: list[Any] = field(default_factory=list)
    measure: str = "scale"
    display: str = ""


def write_labelled(
    kind: str, frame: pd.DataFrame, schema: Schema, codebook: Codebook, path: Path
) -> None:
    """Write one set.

    Categories have the codes of the source if it had any, else 1, 2, ... in their order; labels of
    missing codes are kept, and the codes are marked as missing. Extended missing values of Stata are
    numbers in SPSS.

    Parameters
    ----------
    kind : {"spss", "stata"}
        Format.
    frame : DataFrame
        The set.
    schema : Schema
        Its variables.
    codebook : Codebook
        Labels and codes.
    path : Path
        The file.

    Raises
    ------
    DataError
        If a column has more missing codes than SPSS can mark.
    """
    columns = {v.name: _make_column(kind, frame[v.name], v, codebook[v.name]) for v in schema}
    table = pd.DataFrame({name: column.values for name, column in columns.items()})
    arguments = {
        "column_labels": {n: codebook[n].label[: MAX_LABEL[kind]] or None for n in columns},
        "variable_value_labels": {n: c.labels for n, c in columns.items() if c.labels},
        "variable_format": {n: c.display for n, c in columns.items() if c.display},
    }
    missing = {n: c.missing for n, c in columns.items() if c.missing}
    library = require_pyreadstat(f"publish.formats: {kind}")
    if kind == "spss":
        measures = {name: column.measure for name, column in columns.items()}
        library.write_sav(
            table, str(path), missing_ranges=missing, variable_measure=measures, **arguments
        )
    else:
        library.write_dta(table, str(path), missing_user_values=missing, **arguments)
    _forget_time(kind, path)
    path.chmod(PUBLIC_FILE)
    sync(path)


def _forget_time(kind: str, path: Path) -> None:
    """Replace the time of writing, so that equal sets give equal bytes."""
    content = bytearray(path.read_bytes())
    if kind == "spss":
        content[92:109] = b"01 Jan 7000:00:00"
    else:
        start = content.index(b"<timestamp>") + len(b"<timestamp>")
        content[start : start + 18] = b"\x1101 Jan 1970 00:00"
    path.write_bytes(content)


# --- columns --------------------------------------------------------------------------------------


def _make_column(kind: str, values: pd.Series, variable: Variable, notes: ColumnNotes) -> _Column:
    if variable.is_categorical:
        return _make_coded(kind, values, variable, notes)
    if variable.kind is Kind.DATETIME:
        return _Column(_as_times(values, variable))
    numbers = values.astype("Float64").astype(float)
    labels = {int(code): label for code, label in notes.missing if label and code == int(code)}
    missing = _missing_ranges([c for c, _ in notes.missing], numbers) if kind == "spss" else []
    if variable.kind is Kind.INTEGER and kind == "stata":
        return _Column(_as_whole(numbers), labels)
    decimals = variable.decimals
    display = "" if decimals is None or kind == "stata" else f"F{10 + decimals}.{decimals}"
    return _Column(numbers, labels, missing, display=display)


def _as_times(values: pd.Series, variable: Variable) -> pd.Series:
    if "UTC" in str(values.dtype) or isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    if variable.time_step < MICROSECONDS_A_DAY:
        return values.astype("datetime64[us]")
    return values.dt.date.astype(object).where(values.notna(), None)


def _as_whole(numbers: pd.Series) -> pd.Series:
    if numbers.abs().max() > LARGEST_INT32:
        return numbers
    return numbers.astype("Int32" if numbers.isna().any() else "int32")


def _make_coded(kind: str, values: pd.Series, variable: Variable, notes: ColumnNotes) -> _Column:
    codes = _choose_codes(kind, variable, notes)
    coded = values.astype(object).map(codes)
    letters = [code for code in codes.values() if isinstance(code, str)]
    is_whole = all(isinstance(code, str) or code == int(code) for code in codes.values())
    measure = "ordinal" if variable.kind is Kind.ORDINAL else "nominal"
    labels = {_as_int(code): _text(label) for label, code in codes.items()}
    if not is_whole and kind == "stata":
        labels = {}  # Stata labels whole numbers only; these are numbers that speak for themselves
    if kind == "spss":
        marked = [codes[label] for label in _missing_categories(notes) if label in codes]
        missing = _missing_ranges(marked, coded.astype(float))
        return _Column(coded.astype(float), labels, missing, measure, "F8.0" if is_whole else "")
    if letters:
        return _Column(coded.map(_as_int).astype(object), labels, letters, measure)
    numbers = coded.astype(float)
    return _Column(_as_whole(numbers) if is_whole else numbers, labels, [], measure)


def _choose_codes(kind: str, variable: Variable, notes: ColumnNotes) -> Mapping[Label, float | str]:
    """Return the code of every category."""
    categories, known = variable.categories, dict(notes.codes)
    if set(categories) <= set(known) and any(not isinstance(c, str) for c in known.values()):
        numbers = [float(c) for c in known.values() if not isinstance(c, str)]
        if kind == "stata" and all(n == int(n) for n in numbers):
            return {label: known[label] for label in categories}
        if kind == "spss":
            free = iter(range(int(max(numbers)) + 1, int(max(numbers)) + 1 + len(known)))
            return {
                label: float(next(free)) if isinstance(known[label], str) else known[label]
                for label in categories
            }
    if variable.kind is Kind.BOOLEAN:
        return {label: float(bool(label)) for label in categories}
    if all(isinstance(label, (int, float)) and not isinstance(label, bool) for label in categories):
        return {label: float(label) for label in categories}
    return {label: float(code) for code, label in enumerate(categories, start=1)}


def _missing_categories(notes: ColumnNotes) -> list[Label]:
    """List the categories that say why a value is missing: by a number, or a letter beside numbers."""
    by_number = [label for _, label in notes.missing]
    if all(isinstance(code, str) for _, code in notes.codes):
        return list(by_number)  # the codes of a text column
    return [*by_number, *(label for label, code in notes.codes if isinstance(code, str))]


def _as_int(code: float | str) -> float | str:
    """Return a whole number as such; fractions, letters and missing values as they are."""
    return int(code) if isinstance(code, float) and code.is_integer() else code


def _text(label: Label) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)


def _missing_ranges(codes: list[Any], values: pd.Series) -> list[Any]:
    """Mark codes as missing in the way of SPSS: up to three, or all between two."""
    if len(codes) <= MAX_MISSING_CODES:
        return codes
    within = values[values.between(min(codes), max(codes))]
    if not np.isin(within, codes).all():
        raise DataError(
            f"column '{values.name}' has {len(codes)} missing codes with other values between them, "
            "and SPSS can mark three: leave spss out of publish.formats"
        )
    return [{"lo": min(codes), "hi": max(codes)}]
