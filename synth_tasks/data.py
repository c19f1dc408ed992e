"""Variables, the schema of a table, and its numeric encoding.

The engine works on one matrix of floating point numbers: numeric variables as they are, categories as
their position (0, 1, ...), date-times as steps since 1970, missing values as NaN. The schema knows how
to get there and back without losing dtype, categories, decimals or column order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.errors import DataError

Label = str | int | float | bool

MAX_EXACT_INTEGER = 2**53
MAX_DECIMALS = 10
MICROSECONDS_A_DAY = 86_400_000_000


class Kind(StrEnum):
    """What a variable measures; it decides the default imputation method."""

    NUMERIC = "numeric"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    BINARY = "binary"
    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    DATETIME = "datetime"
    STRING = "string"


CATEGORICAL_KINDS = frozenset({Kind.BOOLEAN, Kind.BINARY, Kind.NOMINAL, Kind.ORDINAL})


@dataclass(frozen=True, slots=True)
class Variable:
    """One column: its meaning and how it is stored.

    Parameters
    ----------
    name : str
        Column name.
    kind : Kind
        Measurement level.
    dtype : str
        pandas dtype to restore, e.g. ``"Int64"`` or ``"category"``.
    categories : tuple, optional
        Labels in order, for categorical kinds.
    label_dtype : str, optional
        dtype of the labels of a ``category`` column.
    ordered : bool
        Whether a ``category`` column is ordered.
    decimals : int, optional
        Decimals of a numeric variable; None if there is no limit.
    time_step : int
        Resolution of a date-time in microseconds.
    """

    name: str
    kind: Kind
    dtype: str
    categories: tuple[Label, ...] = ()
    label_dtype: str = ""
    ordered: bool = False
    decimals: int | None = None
    time_step: int = 1

    @property
    def is_categorical(self) -> bool:
        """Whether values are drawn from a list of categories."""
        return self.kind in CATEGORICAL_KINDS

    def round(self, values: np.ndarray) -> np.ndarray:
        """Round computed values to the resolution of the variable (categories are left alone)."""
        if self.kind in (Kind.INTEGER, Kind.DATETIME):
            return np.rint(values)
        if self.kind is Kind.NUMERIC and self.decimals is not None:
            return np.round(values, self.decimals)
        return values


@dataclass(frozen=True, slots=True)
class VariableOverride:
    """What a user states about a column where inference would get it wrong."""

    kind: Kind | None = None
    categories: tuple[Label, ...] | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """The variables of a table in column order."""

    variables: tuple[Variable, ...]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [v.name for v in self.variables]

    def __len__(self) -> int:
        return len(self.variables)

    def __iter__(self) -> Iterator[Variable]:
        return iter(self.variables)

    def __getitem__(self, name: str) -> Variable:
        return self.variables[self.position(name)]

    def __contains__(self, name: object) -> bool:
        return any(v.name == name for v in self.variables)

    def position(self, name: str) -> int:
        """Return the column number of a variable."""
        for i, variable in enumerate(self.variables):
            if variable.name == name:
                return i
        raise DataError(f"unknown column '{name}': the data have {', '.join(self.names)}")

    def to_dict(self) -> list[dict[str, Any]]:
        """Return a JSON-ready description; `from_dict` reads it back."""
        return [asdict(v) | {"kind": str(v.kind), "categories": list(v.categories)} for v in self]

    @classmethod
    def from_dict(cls, items: Sequence[Mapping[str, Any]]) -> Schema:
        """Rebuild a schema from `to_dict`."""
        return cls(
            tuple(
                Variable(
                    **{**item, "kind": Kind(item["kind"]), "categories": tuple(item["categories"])}
                )
                for item in items
            )
        )


# --- inference ------------------------------------------------------------------------------------


def check_table(frame: pd.DataFrame) -> None:
    """Refuse tables that no stage can work with: empty, unnamed or duplicated columns, all missing."""
    if frame.shape[1] == 0 or frame.shape[0] == 0:
        raise DataError(
            f"the table is empty ({frame.shape[0]} rows, {frame.shape[1]} columns): check the source"
        )
    check_names(list(frame.columns))
    for name in frame.columns:
        if frame[name].isna().all():
            raise DataError(
                f"column '{name}' has no observed value: drop it (dataset.drop) or mend the source"
            )


def check_names(names: Sequence[object]) -> None:
    """Refuse column names that are not text, empty or used twice."""
    for number, name in enumerate(names, start=1):
        if not isinstance(name, str) or not name.strip():
            raise DataError(f"column {number} has no name in text: name every column")
    duplicated = sorted({str(name) for name in names if names.count(name) > 1})
    if duplicated:
        raise DataError(f"column name '{duplicated[0]}' occurs more than once: rename one of them")


def check_varying(frame: pd.DataFrame) -> None:
    """Refuse columns that hold one value only: there is nothing to model in them."""
    for name in frame.columns:
        if frame[name].nunique(dropna=True) == 1:
            raise DataError(
                f"column '{name}' is constant: drop it (dataset.drop) and add it back after release"
            )


def infer_schema(
    frame: pd.DataFrame, overrides: Mapping[str, VariableOverride] | None = None
) -> Schema:
    """Describe every column of a table.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        The data.
    overrides : mapping of str to VariableOverride, optional
        Statements about columns that take precedence over what the dtype suggests.

    Returns
    -------
    Schema

    Raises
    ------
    DataError
        If a column cannot be synthesised as it is; the message says what to do.
    """
    check_table(frame)
    overrides = dict(overrides or {})
    unknown = [name for name in overrides if name not in frame.columns]
    if unknown:
        raise DataError(
            f"unknown column '{unknown[0]}' in variables: the data have {', '.join(frame.columns)}"
        )
    return Schema(
        tuple(_describe(frame[name], overrides.get(name, VariableOverride())) for name in frame)
    )


def _describe(column: pd.Series, override: VariableOverride) -> Variable:
    kind = override.kind or (_infer_kind(column) if override.categories is None else None)
    if kind is None:
        kind = Kind.BINARY if len(override.categories or ()) == 2 else Kind.NOMINAL
    if kind is Kind.STRING:
        raise DataError(
            f"column '{column.name}' holds free text or identifiers, which cannot be synthesised: "
            f"drop it (dataset.drop) or declare it (variables.{column.name}.kind: nominal)"
        )
    if kind in CATEGORICAL_KINDS:
        return _describe_categorical(column, kind, override)
    if kind is Kind.DATETIME:
        return _describe_datetime(column)
    return _describe_number(column, kind, override)


def _infer_kind(column: pd.Series) -> Kind:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        if len(dtype.categories) == 2:
            return Kind.BINARY
        return Kind.ORDINAL if dtype.ordered else Kind.NOMINAL
    if pd.api.types.is_bool_dtype(dtype):
        return Kind.BOOLEAN
    if pd.api.types.is_integer_dtype(dtype):
        return Kind.INTEGER
    if pd.api.types.is_float_dtype(dtype):
        return Kind.NUMERIC
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return Kind.DATETIME
    if pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
        return _infer_text_kind(column)
    raise DataError(
        f"column '{column.name}' has the dtype {dtype}, which cannot be synthesised: "
        "convert it to a number, date-time or category"
    )


def _infer_text_kind(column: pd.Series) -> Kind:
    observed = column.dropna()
    if not observed.map(lambda value: isinstance(value, str)).all():
        raise DataError(
            f"column '{column.name}' mixes text with other objects: convert it to one type"
        )
    n_distinct = observed.nunique()
    if n_distinct == 2:
        return Kind.BINARY
    # Few distinct texts are categories; as many as one in five rows are names or remarks.
    limit = min(max(20, len(observed) // 5), 1000)
    return Kind.NOMINAL if n_distinct <= limit else Kind.STRING


def _describe_categorical(column: pd.Series, kind: Kind, override: VariableOverride) -> Variable:
    name = str(column.name)
    is_category = isinstance(column.dtype, pd.CategoricalDtype)
    if override.categories is not None:
        labels = list(override.categories)
    elif is_category:
        labels = list(column.cat.categories)
    elif kind is Kind.BOOLEAN:
        labels = [False, True]
    else:
        labels = sorted(column.dropna().unique().tolist())
    labels = [label.item() if isinstance(label, np.generic) else label for label in labels]
    if len(set(labels)) != len(labels):
        raise DataError(f"variables.{name}.categories names a category twice: list each once")
    if not all(isinstance(label, (str, int, float, bool)) for label in labels):
        raise DataError(f"column '{name}' has categories that are not text or numbers: recode them")
    n_unknown = int((~column.dropna().isin(labels)).sum())
    if n_unknown:
        raise DataError(
            f"column '{name}' has {n_unknown} value(s) outside its declared categories: "
            f"add them to variables.{name}.categories or mend the source"
        )
    if kind in (Kind.BINARY, Kind.BOOLEAN) and len(labels) != 2:
        raise DataError(
            f"column '{name}' is declared {kind} but has {len(labels)} categories: "
            "declare it nominal or ordinal"
        )
    return Variable(
        name=name,
        kind=kind,
        dtype=str(column.dtype),
        categories=tuple(labels),
        label_dtype=str(column.cat.categories.dtype) if is_category else "",
        ordered=bool(column.cat.ordered) if is_category else kind is Kind.ORDINAL,
    )


def _describe_datetime(column: pd.Series) -> Variable:
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise DataError(
            f"column '{column.name}' is declared datetime but is stored as {column.dtype}: "
            "write it as ISO 8601 (2024-01-31) or convert it"
        )
    times = _as_utc(column.dropna())
    microseconds = times.astype("datetime64[us]").astype("int64").to_numpy()
    if "ns" in str(times.dtype) and (times.astype("int64").to_numpy() % 1000).any():
        raise DataError(f"column '{column.name}' has nanoseconds: round it to microseconds")
    steps = (MICROSECONDS_A_DAY, 1_000_000, 1)
    step = next(s for s in steps if not (microseconds % s).any())
    return Variable(str(column.name), Kind.DATETIME, str(column.dtype), time_step=step)


def _describe_number(column: pd.Series, kind: Kind, override: VariableOverride) -> Variable:
    name = str(column.name)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        raise DataError(f"column '{name}' is declared {kind} but holds text: mend the source")
    values = column.to_numpy(dtype=float, na_value=math.nan)
    values = values[~np.isnan(values)]
    if np.isinf(values).any():
        raise DataError(
            f"column '{name}' has {int(np.isinf(values).sum())} infinite value(s): mark them missing"
        )
    integral = bool((values == np.rint(values)).all())
    if kind is Kind.INTEGER and not integral:
        raise DataError(f"column '{name}' is declared integer but has fractions: declare numeric")
    if integral and (np.abs(values) > MAX_EXACT_INTEGER).any():
        raise DataError(
            f"column '{name}' has whole numbers beyond 2^53, probably an identifier: drop it "
            "(dataset.drop)"
        )
    if kind is Kind.INTEGER:
        decimals: int | None = 0
    else:
        decimals = override.decimals
        if decimals is None:
            decimals = _count_decimals(values, single="32" in str(column.dtype))
    return Variable(name, kind, str(column.dtype), decimals=decimals)


def _count_decimals(values: np.ndarray, single: bool) -> int | None:
    """Count the decimals written; `single` if the values were rounded to single precision."""
    precision = np.float32 if single else np.float64
    for decimals in range(MAX_DECIMALS + 1):
        if np.array_equal(np.round(values, decimals).astype(precision), values.astype(precision)):
            return decimals
    return None


# --- encoding -------------------------------------------------------------------------------------


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
    missing = [name for name in schema.names if name not in frame.columns]
    if missing:
        raise DataError(f"column '{missing[0]}' is missing from the data")
    matrix = np.empty((len(frame), len(schema)), order="F")
    for i, variable in enumerate(schema):
        matrix[:, i] = encode_column(frame[variable.name], variable)
    return matrix


def encode_column(column: pd.Series, variable: Variable) -> np.ndarray:
    """Encode one column; see `encode`."""
    if variable.is_categorical:
        codes = pd.Index(list(variable.categories), dtype=object).get_indexer(
            column.astype(object).to_numpy()
        )
        observed = column.notna().to_numpy()
        n_unknown = int((codes[observed] < 0).sum())
        if n_unknown:
            raise DataError(
                f"column '{variable.name}' has {n_unknown} value(s) outside its categories: "
                f"add them to variables.{variable.name}.categories"
            )
        return np.where(observed, codes, np.nan)
    try:
        if variable.kind is Kind.DATETIME:
            times = _as_utc(column).astype("datetime64[us]")
            steps = times.astype("int64").to_numpy() / variable.time_step
            return np.where(times.isna().to_numpy(), np.nan, steps)
        return column.to_numpy(dtype=float, na_value=math.nan)
    except (TypeError, ValueError):
        # The original message quotes a value of the data.
        raise DataError(
            f"column '{variable.name}' is {variable.kind} in the schema but is stored as "
            f"{column.dtype}: convert it or infer the schema anew"
        ) from None


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


def _as_utc(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.DatetimeTZDtype) or "tz=" in str(column.dtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column
