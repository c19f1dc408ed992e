"""Looking at the columns of new data: what they seem to be, what is doubtful, what cannot stay."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.data import Kind, Schema, Variable, VariableOverride, encode_column, infer_schema
from synth_tasks.errors import DataError
from synth_tasks.release.identifiers import count_whole_numbers, looks_like_identifier
from synth_tasks.release.scales import guess_order

FEW_VALUES = 10
MANY_MISSING = 0.5
MOSTLY = 0.5
NUMBERS_AS_TEXT = (
    "holds mostly numbers, but also other texts: list those under dataset.source.missing, or set "
    "dataset.source.decimal"
)
DATES_AS_TEXT = "holds dates not written as 2026-12-31: write them so in the source to keep it"
DATE = (
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))"
    r"( \d{1,2}:\d{2}(:\d{2})?)?"
)
LARGE_SPIKE = 0.05
LEAST_SPIKED = 10
# Codes for reasons why a value is missing, and the zero that many share.
CODES = (-999, -99, -98, -97, -9, -8, -7, -6, -1, 99, 999, 9999)


@dataclass(frozen=True)
class ColumnProfile:
    """What was found out about a column. It holds counts, and of values only frequent categories.

    Parameters
    ----------
    name : str
        The column.
    n_missing : int
        Number of missing values.
    variable : Variable or None
        Its description; None if it cannot stay.
    problem : str
        Why it cannot stay; empty if it can.
    settings : dict
        What the specification has to say of it, as keys of `variables`.
    remarks : tuple of str
        Notes for the person who corrects the draft.
    doubts : tuple of str
        What inference may have got wrong.
    unique : float
        Number of different values by number of observed ones.
    """

    name: str
    n_missing: int
    variable: Variable | None = None
    problem: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    unique: float = 0.0


def profile_columns(frame: pd.DataFrame, least: int) -> list[ColumnProfile]:
    """Describe every column of a table.

    Parameters
    ----------
    frame : DataFrame
        The data as read.
    least : int
        Least number of rows of a category whose name may be written down.

    Returns
    -------
    list of ColumnProfile
        In the order of the columns.
    """
    return [_profile(frame[[name]], least) for name in frame.columns]


def schema_of(profiles: list[ColumnProfile]) -> Schema:
    """Return the schema of the columns that can stay."""
    return Schema(tuple(p.variable for p in profiles if p.variable is not None))


def _profile(table: pd.DataFrame, least: int) -> ColumnProfile:
    name = str(table.columns[0])
    column = table[name]
    n_missing = int(column.isna().sum())
    problem = _problem(column)
    if problem:
        return ColumnProfile(name, n_missing, problem=problem)
    try:
        variable = infer_schema(table)[name]
    except DataError as error:
        # Of "column 'x' holds free text: drop it" the reason, not the remedy, which is taken here.
        if _looks_like_numbers(column):
            return ColumnProfile(name, n_missing, problem=NUMBERS_AS_TEXT)
        if _looks_like_dates(column):
            return ColumnProfile(name, n_missing, problem=DATES_AS_TEXT)
        reason = str(error).removeprefix(f"column '{name}' ").partition(": ")[0]
        return ColumnProfile(name, n_missing, problem=" ".join(reason.split()))
    values = encode_column(column, variable)
    values = values[~np.isnan(values)]
    if looks_like_identifier(variable, count_whole_numbers(values)):
        problem = "holds whole numbers that look like an identifier"
    if variable.is_categorical:
        counts = np.bincount(values.astype(int), minlength=len(variable.categories))
        n_rare = int((counts < least).sum())
        if n_rare:
            problem = (
                f"{n_rare} of {len(counts)} categories are seen in fewer than {least} rows: merge "
                "them in the source, or declare all categories under variables"
            )
    if problem:
        return ColumnProfile(name, n_missing, problem=problem)
    variable, settings, order = _with_order(table, variable)
    doubts = (*order, *_doubts(variable, values, n_missing / len(column)))
    unique = len(np.unique(values)) / len(values)
    remarks = _remarks(variable, n_missing)
    return ColumnProfile(name, n_missing, variable, "", settings, remarks, doubts, unique)


def _problem(column: pd.Series) -> str:
    n_values = column.nunique()
    if n_values == 0:
        return "has no observed value"
    return "is constant: add it back after release" if n_values == 1 else ""


def _looks_like_numbers(column: pd.Series) -> bool:
    if not pd.api.types.is_string_dtype(column.dtype):
        return False
    return bool(pd.to_numeric(column.dropna(), errors="coerce").notna().mean() > MOSTLY)


def _looks_like_dates(column: pd.Series) -> bool:
    if not pd.api.types.is_string_dtype(column.dtype):
        return False
    return bool(column.dropna().str.fullmatch(DATE).mean() > MOSTLY)


def _with_order(
    table: pd.DataFrame, variable: Variable
) -> tuple[Variable, dict[str, Any], tuple[str, ...]]:
    """Propose an order of categories, where their names tell one and the data do not."""
    if variable.kind is Kind.ORDINAL:
        return variable, {"kind": "ordinal", "categories": list(variable.categories)}, ()
    order = guess_order(variable.categories) if variable.kind is Kind.NOMINAL else None
    if order is None:
        return variable, {}, ()
    override = VariableOverride(Kind.ORDINAL, tuple(order))
    ordered = infer_schema(table, {variable.name: override})[variable.name]
    doubt = "the order is guessed from the names"
    return ordered, {"kind": "ordinal", "categories": order}, (doubt,)


def _remarks(variable: Variable, n_missing: int) -> tuple[str, ...]:
    what = str(variable.kind)
    if variable.is_categorical and variable.kind is not Kind.BOOLEAN:
        what += f", {len(variable.categories)} categories"
    if variable.kind is Kind.NUMERIC and variable.decimals is not None:
        what += f", {variable.decimals} decimal{'' if variable.decimals == 1 else 's'}"
    return (what, f"{n_missing} missing" if n_missing else "complete")


def _doubts(variable: Variable, values: np.ndarray, missing: float) -> tuple[str, ...]:
    found = []
    n_values = len(np.unique(values))
    if variable.kind is Kind.INTEGER and n_values <= FEW_VALUES:
        found.append(f"only {n_values} different numbers: codes? then kind: nominal or ordinal")
    if variable.kind is Kind.NUMERIC and variable.decimals is None:
        found.append("no common number of decimals: computed? else state decimals")
    if variable.kind is Kind.NUMERIC and variable.decimals == 0:
        found.append("whole numbers stored with a decimal point: then kind: integer")
    if variable.kind in (Kind.INTEGER, Kind.NUMERIC):
        found += _spikes(values, n_values)
    if variable.kind is Kind.DATETIME:
        found.append("dates lead to persons: an age or a year says less")
    if variable.kind is Kind.NOMINAL and len(variable.categories) > 2 * FEW_VALUES:
        found.append("many categories: coarser ones are safer and faster")
    if missing > MANY_MISSING:
        found.append("mostly missing: does not apply to all? then keep_missing: true")
    return tuple(found)


def _spikes(values: np.ndarray, n_values: int) -> list[str]:
    """Suggest numbers that stand apart: a frequent zero, and usual codes at the end of the range."""
    if n_values <= FEW_VALUES:
        return []
    share_of_zero = float((values == 0).mean())
    found = [0] if share_of_zero > 4 * LARGE_SPIKE else []
    low, high = np.quantile(values, [LARGE_SPIKE, 1 - LARGE_SPIKE])
    least = max(LEAST_SPIKED, LARGE_SPIKE * len(values))
    codes = [code for code in CODES if (values == code).sum() > least]
    found += [code for code in codes if code in (low, high)]
    return [
        f"many rows hold {code:g}: apart from the others? then spikes: [{code:g}]" for code in found
    ]
