"""Tables as numbers, and back.

The engine works on one matrix of floating point numbers: numeric variables as they are, categories as
their position (0, 1, ...), date-times as steps since 1970, missing values as NaN. The schema knows how
to get there and back without losing dtype, categories, decimals or column order.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from synth_tasks.data.schema import MAX_EXACT_INTEGER, Kind, Schema, Variable
from synth_tasks.errors import DataError


def encode(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Turn a table into numbers.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_variables)
        Columns as the schema names them, in any order.
    schema : Schema
        Description of the columns.

    Returns
    -------
    ndarray of shape (n_rows, n_variables), float64, column-major
        Missing values are NaN.
    """
    columns = frame.columns
    missing = [name for name in schema.names if name not in columns]
    if missing:
        raise DataError(f"column '{missing[0]}' is missing from the data")
    matrix = np.empty((len(frame), len(schema)), order="F")
    for i, variable in enumerate(schema):
        matrix[:, i] = encode_column(frame[variable.name], variable)
    return matrix


def encode_column(column: pd.Series, variable: Variable) -> np.ndarray:
    """Encode one column; see `encode`."""
    if variable.is_categorical:
        codes, observed = _category_codes(column, variable)
        n_unknown = int((codes[observed] < 0).sum())
        if n_unknown:
            raise DataError(
                f"column '{variable.name}' has {n_unknown} value(s) outside its categories: "
                f"add them to variables.{variable.name}.categories"
            )
        return np.where(observed, codes, np.nan)
    try:
        if variable.kind is Kind.DATETIME:
            times = as_utc(column).astype("datetime64[us]")
            steps = times.astype("int64").to_numpy() / variable.time_step
            return np.where(times.isna().to_numpy(), np.nan, steps)
        return as_floats(column)
    except (TypeError, ValueError):
        # The original message quotes a value of the data.
        raise DataError(
            f"column '{variable.name}' is {variable.kind} in the schema but is stored as "
            f"{column.dtype}: convert it or infer the schema anew"
        ) from None


def _category_codes(column: pd.Series, variable: Variable) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of each label among the categories, -1 if it is none of them.

    With them goes an array of bool: where there is a label.
    """
    coded, categories = column.array, list(variable.categories)
    is_category = isinstance(coded, pd.Categorical)
    if is_category and coded.categories.tolist() == categories:
        codes = coded.codes
        return codes, codes >= 0
    known = pd.Index(categories, dtype=object)
    if not is_category:
        return known.get_indexer(column.astype(object).to_numpy()), column.notna().to_numpy()
    # Each label is looked up once, however many rows have it.
    positions = known.get_indexer(coded.categories.astype(object))
    return np.append(positions, -1)[coded.codes], coded.codes >= 0


def decode(matrix: np.ndarray, schema: Schema, index: pd.Index | None = None) -> pd.DataFrame:
    """Turn numbers back into the table they stand for.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_variables)
        As made by `encode`; NaN where a value is missing.
    schema : Schema
        Description of the columns.
    index : Index, optional
        Row labels; 0, 1, ... if not given.

    Returns
    -------
    DataFrame of shape (n_rows, n_variables)
        With the dtypes, categories and column order of the schema.
    """
    columns = {
        v.name: decode_column(matrix[:, i], v, index).reset_index(drop=True)
        for i, v in enumerate(schema)
    }
    frame = pd.DataFrame(columns)
    if index is not None:
        frame.index = index
    return frame


def decode_column(
    values: np.ndarray, variable: Variable, index: pd.Index | None = None
) -> pd.Series:
    """Decode one column; see `decode`."""
    missing = np.isnan(values)
    if variable.is_categorical:
        return _decode_labels(values, missing, variable, index)
    if variable.kind is Kind.DATETIME:
        filled = np.where(missing, 0, np.rint(values)).astype("int64") * variable.time_step
        times = pd.Series(filled.astype("datetime64[us]"), index=index, name=variable.name)
        times = times.mask(missing) if missing.any() else times
        dtype = pd.api.types.pandas_dtype(variable.dtype)
        if isinstance(dtype, pd.DatetimeTZDtype) or "tz=" in variable.dtype:
            times = times.dt.tz_localize("UTC")
        return times.astype(dtype)
    if pd.api.types.is_integer_dtype(pd.api.types.pandas_dtype(variable.dtype)):
        values = _within_bounds(values, variable.dtype)
        if not missing.any():
            whole = np.rint(values).astype("int64")
            return pd.Series(whole, index=index, name=variable.name).astype(variable.dtype)
        values = np.rint(values)
        dtype_name = _nullable(variable.dtype)
        column = pd.Series(values, index=index, name=variable.name)
        return column.astype("Float64").astype(dtype_name)
    return pd.Series(values, index=index, name=variable.name).astype(variable.dtype)


def _decode_labels(
    values: np.ndarray, missing: np.ndarray, variable: Variable, index: pd.Index | None
) -> pd.Series:
    codes = np.where(missing, -1, values).astype("int64")
    if variable.dtype == "category":
        labels = pd.Index(list(variable.categories), dtype=variable.label_dtype)
        coded = pd.Categorical.from_codes(codes, categories=labels, ordered=variable.ordered)
        return pd.Series(coded, index=index, name=variable.name)
    labels_with_missing = np.array([*variable.categories, None], dtype=object)
    column = pd.Series(labels_with_missing[codes], index=index, name=variable.name, dtype=object)
    if missing.any() and variable.dtype in ("bool", "int64", "int32", "int16", "int8"):
        return column.astype(_nullable(variable.dtype))
    return column.astype(variable.dtype)


def _within_bounds(values: np.ndarray, dtype: str) -> np.ndarray:
    """Keep computed values inside what an integer dtype can hold, where they would wrap around."""
    limits = np.iinfo(dtype.removesuffix("[pyarrow]").lower())
    # The largest 64-bit integers are no floating point numbers; the schema refuses them anyway.
    lowest, highest = max(limits.min, -MAX_EXACT_INTEGER), min(limits.max, MAX_EXACT_INTEGER)
    return np.clip(values, lowest, highest)


def _nullable(dtype: str) -> str:
    """Name the dtype that can hold missing values beside the values of `dtype`."""
    if dtype == "bool":
        return "boolean"
    return dtype.replace("uint", "UInt").replace("int", "Int") if dtype[0] in "iu" else dtype


def as_floats(column: pd.Series) -> np.ndarray:
    """Return numbers in double precision, NaN where they are missing; perhaps not a copy."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu":
        return column.to_numpy().astype(float, copy=False)  # pandas would look for missing values
    return column.to_numpy(dtype=float, na_value=math.nan)


def as_utc(column: pd.Series) -> pd.Series:
    """Return date-times in UTC without a time zone."""
    if isinstance(column.dtype, pd.DatetimeTZDtype) or "tz=" in str(column.dtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column
