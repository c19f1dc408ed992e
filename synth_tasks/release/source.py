"""Reading the confidential data set.

Errors name columns and counts; the texts of the readers' own errors may quote values and are dropped.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

from synth_tasks.data import Kind, check_names, check_table, check_varying
from synth_tasks.datasets import BUILTIN
from synth_tasks.errors import DataError, SpecError, SynthError
from synth_tasks.files import readable_errors
from synth_tasks.release.limits import check_width
from synth_tasks.release.spec import DatasetSpec, ReleaseSpec, SourceSpec, VariableSpec

NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def read_source(spec: ReleaseSpec) -> pd.DataFrame:
    """Read the data set that a specification names.

    Parameters
    ----------
    spec : ReleaseSpec
        Names source, columns to drop and variables.

    Returns
    -------
    DataFrame
        Whole numbers and booleans with holes have nullable dtypes, so that nothing becomes a fraction.

    Raises
    ------
    DataError, SpecError
        Naming what is wrong and how to mend it.
    """
    source = spec.dataset.source
    if source.builtin is not None:
        frame = BUILTIN[source.builtin]()
    else:
        frame = _read_file(spec.find(str(source.path)), source, spec.variables)
    frame = _drop(frame, spec.dataset)
    check_width(frame.shape[1])
    check_table(frame)
    check_varying(frame, [n for n, variable in spec.variables.items() if variable.keep_missing])
    return frame.reset_index(drop=True)


def _drop(frame: pd.DataFrame, dataset: DatasetSpec) -> pd.DataFrame:
    for name in dataset.drop:
        if name not in frame.columns:
            raise SpecError(
                f"dataset.drop: unknown column '{name}'; the data have {', '.join(frame.columns)}"
            )
    return frame.drop(columns=dataset.drop)


def _read_file(
    path: Path, source: SourceSpec, variables: Mapping[str, VariableSpec]
) -> pd.DataFrame:
    names = _csv_header(path, source) if source.csv is not None else []
    try:
        if source.csv is not None:
            table = _read_csv(path, source, variables)
        elif source.parquet is not None:
            check_names(pq.read_schema(path).names)
            table = pq.read_table(path)
        else:
            table = pa.feather.read_table(path)
        check_names(table.column_names)
        _refuse_nested(table)
        if source.csv is not None:
            _refuse_misread(table, source)
        frame = _to_frame(table)
    except SynthError:
        raise
    except Exception as error:  # a damaged file may raise anything, and the text may quote values
        kind = "CSV" if source.csv else "Parquet" if source.parquet else "Arrow"
        raise DataError(
            f"{path.name} cannot be read as {kind}{_reason(error, table_names=names)}: check the file "
            "and the settings of dataset.source and variables"
        ) from None
    return _as_declared(frame, variables)


def _refuse_misread(table: pa.Table, source: SourceSpec) -> None:
    """Refuse a CSV file that was read with the wrong separator or decimal sign."""
    if table.num_columns == 1:
        others = [sign for sign in ";,\t|" if sign in table.column_names[0]]
        if others:
            raise DataError(
                f"the header is one name that holds {others[0]!r}: set dataset.source.delimiter"
            )
    for field, column in zip(table.schema, table.columns, strict=True):
        if source.decimal == "." and pa.types.is_string(field.type):
            like_numbers = pc.match_substring_regex(column, r"^\s*[-+]?\d+,\d+\s*$")
            if pc.all(like_numbers, min_count=1).as_py():
                raise DataError(
                    f"column '{field.name}' holds numbers with a decimal comma: set "
                    "dataset.source.decimal: ','"
                )


def _reason(error: Exception, table_names: list[str]) -> str:
    """Say where a reader failed, without the value that it quotes."""
    text = str(error)
    if found := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", text):
        return f" (row {found[1]} has {found[3]} fields instead of {found[2]})"
    if found := re.search(r"In CSV column #(\d+)", text):
        return f" (column '{table_names[int(found[1])]}' has values that do not fit its kind)"
    return ""


def _as_declared(frame: pd.DataFrame, variables: Mapping[str, VariableSpec]) -> pd.DataFrame:
    """Give text columns whose categories are declared a categorical dtype; unknown texts stay."""
    for name, variable in variables.items():
        if variable.categories is None or name not in frame.columns:
            continue
        column = frame[name]
        is_text = pd.api.types.is_string_dtype(column.dtype)
        if is_text and column.dropna().isin(variable.categories).all():
            dtype = pd.CategoricalDtype(variable.categories, ordered=variable.kind is Kind.ORDINAL)
            frame[name] = column.astype(dtype)
    return frame


def _refuse_nested(table: pa.Table) -> None:
    for field in table.schema:
        if pa.types.is_nested(field.type):
            raise DataError(
                f"column '{field.name}' holds lists or records: drop it (dataset.drop) or spread it "
                "over columns"
            )


def _read_csv(path: Path, source: SourceSpec, variables: Mapping[str, VariableSpec]) -> pa.Table:
    as_text = {
        name: pa.string()
        for name, variable in variables.items()
        if variable.categories and all(isinstance(label, str) for label in variable.categories)
    }
    as_text |= {
        name: pa.timestamp("us")
        for name, variable in variables.items()
        if variable.kind is Kind.DATETIME
    }
    parse = pa.csv.ParseOptions(delimiter=source.delimiter, newlines_in_values=True)
    convert = pa.csv.ConvertOptions(
        null_values=source.missing,
        decimal_point=source.decimal,
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        column_types=as_text,
    )
    try:
        return pa.csv.read_csv(path, parse_options=parse, convert_options=convert)
    except pa.ArrowInvalid:
        # With one thread the reader knows in which row it failed.
        single = pa.csv.ReadOptions(use_threads=False)
        return pa.csv.read_csv(path, single, parse, convert)


def _csv_header(path: Path, source: SourceSpec) -> list[str]:
    with readable_errors("read", path):
        _check_utf8(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            try:
                header = next(csv.reader(file, delimiter=source.delimiter), None)
            except csv.Error:
                raise DataError(
                    f"{path.name} has a header row that is no CSV: check file and delimiter"
                ) from None
    if not header:
        raise DataError(f"{path.name} is empty: expected a header row and data")
    check_names(header)
    return header


def _check_utf8(path: Path) -> None:
    position = 0
    with path.open("rb") as file:
        for line in file:
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path.name} is not UTF-8 (byte {position + error.start}): save it as UTF-8, "
                    "e.g. iconv -f latin1 -t utf-8"
                ) from None
            position += len(line)


def _to_frame(table: pa.Table) -> pd.DataFrame:
    """Convert to pandas; whole numbers and booleans with holes keep their type."""
    frame = table.to_pandas(date_as_object=False)
    # What pandas wrote as a named index is a variable like any other.
    frame = frame.reset_index([name for name in frame.index.names if name in table.column_names])
    for field in table.schema:
        column = table.column(field.name)
        if field.type in NULLABLE and column.null_count:
            frame[field.name] = column.to_pandas(types_mapper=NULLABLE.get)
    return frame
