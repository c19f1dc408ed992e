"""Reading SPSS, Stata and SAS files, whose values have labels and whose missing values have reasons.

Value labels become categories in the order of their codes. Codes that mean a missing value are missing,
unless the specification declares them as data: as a spike of a number, as a category by its label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synth_tasks.data import Kind
from synth_tasks.data.schema import CATEGORICAL_KINDS
from synth_tasks.errors import DataError
from synth_tasks.release.codebook import Codebook, ColumnNotes
from synth_tasks.release.limits import check_header
from synth_tasks.release.sections import VariableSpec
from synth_tasks.release.sources.readstat import FileFacts, read_readstat
from synth_tasks.release.sources.table import as_declared
from synth_tasks.release.spec import ReleaseSpec

Code = float | str
WHOLE_FORMAT = re.compile(r"^[FN]\d+(\.0)?$")


@dataclass(frozen=True)
class _Facts:
    """What the file says about a column: `ranges` are those of missing codes, ends included."""

    label: str
    labels: dict[Code, str]
    ranges: list[tuple[Code, Code]]
    measure: str
    is_text: bool
    is_whole: bool

    def is_missing(self, code: object) -> bool:
        """Tell whether a code means a missing value; a letter beside numbers always does."""
        if isinstance(code, str):
            return not self.is_text or code == "" or any(code == low for low, _ in self.ranges)
        return any(low <= code <= high for low, high in self.ranges)  # type: ignore[operator]


def read_labelled(spec: ReleaseSpec) -> tuple[pd.DataFrame, Codebook]:
    """Read the file that a specification names.

    Parameters
    ----------
    spec : ReleaseSpec
        Its source is one of `spss`, `stata` and `sas`.

    Returns
    -------
    frame : DataFrame
    codebook : Codebook
        Variable labels, codes of categories, and missing codes that are data.

    Raises
    ------
    DataError, SpecError
        Naming file, column and remedy.
    """
    source = spec.dataset.source
    frame, meta = read_readstat(spec.find(str(source.path)), source.kind)
    check_header(list(frame.columns), spec.dataset)
    columns, notes = {}, {}
    for name in frame.columns:
        declared = spec.variables.get(name, VariableSpec())
        columns[name], notes[name] = _read_column(frame[name], _facts(meta, name), declared)
    return as_declared(pd.DataFrame(columns), spec.variables), Codebook(notes)


def _facts(meta: FileFacts, name: str) -> _Facts:
    stored = meta.readstat_variable_types[name]
    written = str(meta.original_variable_types.get(name))
    return _Facts(
        label=meta.column_names_to_labels.get(name) or "",
        labels=dict(meta.variable_value_labels.get(name, {})),
        ranges=[(r["lo"], r["hi"]) for r in meta.missing_ranges.get(name, [])],
        measure=meta.variable_measure.get(name, "unknown"),
        is_text=stored == "string",
        is_whole=stored.startswith("int") or bool(WHOLE_FORMAT.match(written)),
    )


def _read_column(
    column: pd.Series, facts: _Facts, declared: VariableSpec
) -> tuple[pd.Series, ColumnNotes]:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column, ColumnNotes(facts.label)
    kept = _declared_codes(facts, declared)
    codes = [c for c in pd.unique(column.dropna()) if c in kept or not facts.is_missing(c)]
    observed = column.where(column.isin(codes))
    if labels := _categories(codes, kept, facts, declared):
        return _as_category(observed, labels, facts, declared)
    missing = tuple((float(c), facts.labels.get(c, "")) for c in sorted(kept) if c in codes)
    notes = ColumnNotes(facts.label, (), missing)
    if facts.is_text:
        return observed, notes
    if any(not isinstance(code, (int, float, np.number)) for code in codes):
        return observed, notes  # times of day, which are refused like other objects
    numbers = observed.astype("Float64").astype(float)
    if facts.is_whole and bool((numbers.dropna() % 1 == 0).all()):
        return numbers.astype("Int64" if numbers.isna().any() else "int64"), notes
    return numbers, notes


def _declared_codes(facts: _Facts, declared: VariableSpec) -> set[Code]:
    """List missing codes that the specification makes data."""
    named = set(declared.categories or ())
    labelled = {code for code, label in facts.labels.items() if label in named}
    return {code for code in {*labelled, *declared.spikes} if facts.is_missing(code)}


def _categories(
    codes: list[Code], kept: set[Code], facts: _Facts, declared: VariableSpec
) -> dict[Code, str]:
    """Return the categories of a column by code, in order; none if it holds numbers or plain text."""
    labels = {c: t for c, t in facts.labels.items() if c in kept or not facts.is_missing(c)}
    unlabelled = [code for code in codes if code not in labels]
    if not labels or declared.kind in (Kind.NUMERIC, Kind.INTEGER, Kind.DATETIME):
        return {}
    is_stated = declared.kind in CATEGORICAL_KINDS or declared.categories is not None
    if not is_stated and (facts.measure == "scale" or declared.spikes):
        return {}
    if unlabelled and not is_stated and facts.measure == "unknown":
        return {}  # labels for some numbers only: the ends of a scale, or a last open class
    labels |= {code: _as_text(code) for code in unlabelled}
    return {code: labels[code] for code in sorted(labels, key=_place)}


def _as_text(code: Code) -> str:
    """Write a code as it is, with all of its digits."""
    if isinstance(code, str):
        return code
    return str(int(code)) if code == int(code) else repr(float(code))


def _place(code: Code) -> tuple[bool, Code]:
    """Order numbers before letters, which stand for reasons of missing values."""
    return isinstance(code, str), code


def _as_category(
    observed: pd.Series, labels: Mapping[Code, str], facts: _Facts, declared: VariableSpec
) -> tuple[pd.Series, ColumnNotes]:
    texts = list(labels.values())
    if len(set(texts)) != len(texts):
        raise DataError(
            f"column '{observed.name}' has the same label for several codes: give each its own"
        )
    ordinal = facts.measure == "ordinal" if declared.kind is None else declared.kind is Kind.ORDINAL
    dtype = pd.CategoricalDtype(texts, ordered=ordinal)
    missing = tuple(
        (float(code), text)
        for code, text in labels.items()
        if not isinstance(code, str) and facts.is_missing(code)
    )
    codes = tuple((text, code) for code, text in labels.items())
    return observed.map(labels).astype(dtype), ColumnNotes(facts.label, codes, missing)
