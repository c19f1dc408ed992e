"""From an Arrow table, whatever it was read from, to the frame that a release begins with."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synth_tasks.data import Kind
from synth_tasks.errors import DataError
from synth_tasks.release.sections import VariableSpec
from synth_tasks.release.spec import ReleaseSpec

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
# Digits of a decimal number that a floating point number is sure to keep.
EXACT_DIGITS = 15


def to_frame(table: pa.Table, spec: ReleaseSpec) -> pd.DataFrame:
    """Convert to pandas, as declared; whole numbers and booleans with holes keep their type.

    Parameters
    ----------
    table : pyarrow.Table
        What was read.
    spec : ReleaseSpec
        Tells which columns are dropped, whatever they hold, and what is declared of the others.

    Returns
    -------
    DataFrame
        Rows numbered from 0.

    Raises
    ------
    DataError
        If a column holds no single values.
    """
    table = table.drop_columns([name for name in spec.dataset.drop if name in table.column_names])
    _refuse_nested(table)
    return as_declared(_to_pandas(_without_decimals(table)), spec.variables)


def _refuse_nested(table: pa.Table) -> None:
    for field in table.schema:
        if pa.types.is_nested(field.type):
            raise DataError(
                f"column '{field.name}' holds lists or records: drop it (dataset.drop) or spread it "
                "over columns"
            )


def _without_decimals(table: pa.Table) -> pa.Table:
    """Turn decimal numbers into whole or floating point ones, where that loses nothing."""
    for position, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            column = _as_number(table.column(position), field)
            table = table.set_column(position, field.name, column)
    return table


def _as_number(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    limit = 10 ** (EXACT_DIGITS - field.type.scale)
    largest = pc.max(pc.abs(column)).as_py()
    if largest is not None and largest >= limit:
        raise DataError(
            f"column '{field.name}' holds decimal numbers of more than {EXACT_DIGITS} digits: round "
            "them, or drop the column (dataset.drop)"
        )
    return pc.cast(column, pa.int64() if field.type.scale <= 0 else pa.float64())


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    frame = table.to_pandas(date_as_object=False)
    # What pandas wrote as a named index is a variable like any other. The numbers of rows that were
    # left over of a larger table, or sorted, are none: columns would be aligned by them below.
    variables = [name for name in frame.index.names if name in table.column_names]
    frame = frame.reset_index(variables).reset_index(drop=True)
    for field in table.schema:
        column = table.column(field.name)
        if field.name in frame and field.type in NULLABLE and column.null_count:
            frame[field.name] = column.to_pandas(types_mapper=NULLABLE.get)
    return frame


def as_declared(frame: pd.DataFrame, variables: Mapping[str, VariableSpec]) -> pd.DataFrame:
    """Give text columns the type that is declared: categories (unknown texts stay) or date-time."""
    for name, variable in variables.items():
        if name not in frame.columns or not pd.api.types.is_string_dtype(frame[name].dtype):
            continue
        if variable.kind is Kind.DATETIME:
            frame[name] = _as_times(frame[name])
        elif variable.categories and frame[name].dropna().isin(variable.categories).all():
            ordered = variable.kind is Kind.ORDINAL
            dtype = pd.CategoricalDtype(variable.categories, ordered=ordered)
            frame[name] = frame[name].astype(dtype)
    return frame


def _as_times(column: pd.Series) -> pd.Series:
    texts = pa.array(column, pa.string(), from_pandas=True)
    try:
        return pc.cast(texts, pa.timestamp("us")).to_pandas().set_axis(column.index)
    except pa.ArrowInvalid:
        raise DataError(
            f"column '{column.name}' is declared datetime but holds other texts: write it as ISO 8601 "
            "(2024-01-31)"
        ) from None
