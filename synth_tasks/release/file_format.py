"""Finding out how a data file is written: separator, decimal sign, and what means missing."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from synth_tasks.errors import DataError, SpecError
from synth_tasks.files import readable_errors
from synth_tasks.release.sections import SourceSpec

DELIMITERS = (",", ";", "\t", "|")
ROWS_LOOKED_AT = 5000
# What statistical packages and people write for a missing number.
MISSING_TEXTS = ("NaN", "nan", "NULL", "null", "None", "N/A", "n/a", "#N/A", ".", "-", "?")
ALWAYS_MISSING = ("", "NA")
WITH_POINT = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
WITH_COMMA = re.compile(r"\s*[-+]?\d+(,\d+)?\s*")
READERS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".parquet": "parquet", ".pq": "parquet",
    ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow",
    ".sav": "spss", ".zsav": "spss", ".dta": "stata", ".sas7bdat": "sas", ".xpt": "sas",
}  # fmt: skip


def detect_source(path: Path, written: str) -> SourceSpec:
    """Find out how to read a file.

    Parameters
    ----------
    path : Path
        The file; of a CSV file the first 5000 rows are looked at.
    written : str
        The path as the specification is to name it.

    Returns
    -------
    SourceSpec
        With only those settings that differ from the defaults.

    Raises
    ------
    SpecError
        If the name of the file does not tell its format.
    DataError, StorageError
        If it cannot be read.
    """
    kind = READERS.get(path.suffix.lower())
    if kind is None:
        raise SpecError(
            f"{path.name}: unknown format '{path.suffix}'; use one of {', '.join(READERS)}"
        )
    if not path.is_file():
        raise SpecError(f"file not found: {path}")
    settings: dict[str, Any] = {kind: written}
    if kind == "csv":
        settings |= _csv_settings(path)
    return SourceSpec(**settings)


def _csv_settings(path: Path) -> dict[str, Any]:
    delimiter = _find_delimiter(path)
    columns = list(zip(*_rows(path, delimiter), strict=False))
    settings: dict[str, Any] = {} if delimiter == "," else {"delimiter": delimiter}
    if any(_has_decimal_comma(column) for column in columns):
        settings["decimal"] = ","
    number = WITH_COMMA if "decimal" in settings else WITH_POINT
    found = sorted({text for column in columns for text in _missing_texts(column, number)})
    if found:
        settings["missing"] = [*ALWAYS_MISSING, *found]
    return settings


def _find_delimiter(path: Path) -> str:
    """Return the sign that cuts the header into most names."""
    with readable_errors("read", path):
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                header = file.readline()
        except UnicodeDecodeError:
            raise DataError(
                f"{path.name} is not UTF-8: save it as UTF-8, e.g. iconv -f latin1 -t utf-8"
            ) from None
    return max(DELIMITERS, key=lambda sign: len(next(csv.reader([header], delimiter=sign), [])))


def _rows(path: Path, delimiter: str) -> Iterator[list[str]]:
    with (
        readable_errors("read", path),
        path.open(encoding="utf-8-sig", errors="replace", newline="") as file,
    ):
        try:
            yield from islice(csv.reader(file, delimiter=delimiter), 1, ROWS_LOOKED_AT)
        except csv.Error:
            raise DataError(
                f"{path.name} cannot be read as CSV: check quotes and separators"
            ) from None


def _has_decimal_comma(column: tuple[str, ...]) -> bool:
    texts = [text for text in column if text not in (*ALWAYS_MISSING, *MISSING_TEXTS)]
    numbers = bool(texts) and all(WITH_COMMA.fullmatch(text) for text in texts)
    return numbers and any("," in text for text in texts)


def _missing_texts(column: tuple[str, ...], number: re.Pattern[str]) -> set[str]:
    """Return the texts that stand for missing values in a column that otherwise holds numbers."""
    others = {text for text in column if text not in ALWAYS_MISSING and not number.fullmatch(text)}
    has_numbers = any(number.fullmatch(text) for text in column)
    return others if has_numbers and others <= set(MISSING_TEXTS) else set()
