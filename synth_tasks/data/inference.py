"""Describing the columns of a table, and refusing those that cannot be synthesised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synth_tasks.data.closest import columns_there
from synth_tasks.data.encoding import as_floats, as_utc
from synth_tasks.data.schema import (
    CATEGORICAL_KINDS,
    MAX_EXACT_INTEGER,
    MICROSECONDS_A_DAY,
    Kind,
    Schema,
    Variable,
    VariableOverride,
)
from synth_tasks.errors import DataError

MAX_DECIMALS = 10
FEW_ROWS = 100


def check_table(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Refuse tables that no stage can work with: empty, unnamed or duplicated columns, all missing.

    Returns
    -------
    dict of str to Series
        The columns by name.
    """
    if frame.shape[1] == 0 or frame.shape[0] == 0:
        raise DataError(
            f"the table is empty ({frame.shape[0]} rows, {frame.shape[1]} columns): check the source"
        )
    check_names(list(frame.columns))
    return _observed_columns(frame)


def _observed_columns(frame: pd.DataFrame) -> dict[str, pd.Series]:
    columns = {name: frame[name] for name in frame}
    for name, column in columns.items():
        # Most columns have a value in the first row, and need not be read whole.
        if pd.isna(column.array[0]) and column.isna().all():
            raise DataError(
                f"column '{name}' has no observed value: drop it (dataset.drop) or mend the source"
            )
    return columns


def check_names(names: Sequence[object]) -> None:
    """Refuse column names that are not text, empty or used twice."""
    for number, name in enumerate(names, start=1):
        if not isinstance(name, str) or not name.strip():
            raise DataError(f"column {number} has no name in text: name every column")
    if len(set(names)) < len(names):
        duplicated = sorted(name for name, count in Counter(map(str, names)).items() if count > 1)
        raise DataError(f"column name '{duplicated[0]}' occurs more than once: rename one of them")


def check_varying(frame: pd.DataFrame, keep_missing: Collection[str] = ()) -> None:
    """Refuse columns that hold one value only: there is nothing to model in them."""
    for name in frame.columns:
        if frame[name].nunique(dropna=name not in keep_missing) == 1:
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
    columns = check_table(frame)
    overrides = dict(overrides or {})
    unknown = [name for name in overrides if name not in columns]
    if unknown:
        raise DataError(
            f"unknown column '{unknown[0]}' in variables: "
            f"{columns_there(unknown[0], list(columns))}"
        )
    described = (
        _describe(column, overrides.get(name, VariableOverride()))
        for name, column in columns.items()
    )
    return Schema(
        tuple(_with_parts(variable, overrides.get(variable.name)) for variable in described)
    )


def _with_parts(variable: Variable, override: VariableOverride | None) -> Variable:
    """Add what is stated about missing values and spikes."""
    if override is None:
        return variable
    if override.spikes and variable.kind not in (Kind.NUMERIC, Kind.INTEGER):
        raise DataError(
            f"variables.{variable.name}.spikes: '{variable.name}' is {variable.kind}, and spikes are "
            "numbers: leave them out"
        )
    return replace(
        variable, spikes=_read_spikes(variable, override), keep_missing=override.keep_missing
    )


def _read_spikes(variable: Variable, override: VariableOverride) -> tuple[float, ...]:
    given = override.spikes
    numbers = isinstance(given, (tuple, list)) and all(
        isinstance(spike, (int, float, np.number)) and not isinstance(spike, bool)
        for spike in given
    )
    if not numbers or len(set(given)) != len(given) or not np.isfinite(given).all():
        raise DataError(f"variables.{variable.name}.spikes: list different, finite numbers")
    # As the column holds them: 0.1 in single precision is another number.
    single = "32" in variable.dtype and variable.kind is Kind.NUMERIC
    precision = np.float32 if single else np.float64
    spikes = np.array(given, dtype=precision)
    if not np.array_equal(variable.round(np.array(given, dtype=float)).astype(precision), spikes):
        raise DataError(
            f"variables.{variable.name}.spikes: a spike has more decimals than the column: correct it"
        )
    return tuple(spikes.astype(float).tolist())


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
    name, dtype = str(column.name), column.dtype
    is_category = isinstance(dtype, pd.CategoricalDtype)
    if override.categories is not None:
        labels = list(override.categories)
    elif is_category:
        labels = dtype.categories.tolist()
    elif kind is Kind.BOOLEAN:
        labels = [False, True]
    else:
        labels = sorted(column.dropna().unique().tolist())
    labels = [label.item() if isinstance(label, np.generic) else label for label in labels]
    if len(set(labels)) != len(labels):
        raise DataError(f"variables.{name}.categories names a category twice: list each once")
    if not all(isinstance(label, (str, int, float, bool)) for label in labels):
        raise DataError(f"column '{name}' has categories that are not text or numbers: recode them")
    # Labels that were read off the column are those of all its values.
    stated = override.categories is not None or kind is Kind.BOOLEAN
    n_unknown = int((~column.dropna().isin(labels)).sum()) if stated else 0
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
        label_dtype=str(dtype.categories.dtype) if is_category else "",
        ordered=bool(dtype.ordered) if is_category else kind is Kind.ORDINAL,
    )


def _describe_datetime(column: pd.Series) -> Variable:
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise DataError(
            f"column '{column.name}' is declared datetime but is stored as {column.dtype}: "
            "write it as ISO 8601 (2024-01-31) or convert it"
        )
    try:
        times = as_utc(column.dropna())
        microseconds = times.astype("datetime64[us]").astype("int64").to_numpy()
    except (ValueError, OverflowError):
        raise DataError(
            f"column '{column.name}' has times that no calendar knows: mark them missing"
        ) from None
    if "ns" in str(times.dtype) and (times.astype("int64").to_numpy() % 1000).any():
        raise DataError(f"column '{column.name}' has nanoseconds: round it to microseconds")
    steps = (MICROSECONDS_A_DAY, 1_000_000, 1)
    step = next(s for s in steps if not (microseconds % s).any())
    return Variable(str(column.name), Kind.DATETIME, str(column.dtype), time_step=step)


def _describe_number(column: pd.Series, kind: Kind, override: VariableOverride) -> Variable:
    name = str(column.name)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        raise DataError(f"column '{name}' is declared {kind} but holds text: mend the source")
    values = as_floats(column)
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

    def have(values: np.ndarray, decimals: int) -> bool:
        rounded = np.round(values, decimals)
        return np.array_equal(rounded.astype(precision), values.astype(precision))

    for decimals in range(MAX_DECIMALS + 1):
        # A few values tell most often that there are more decimals.
        if have(values[:FEW_ROWS], decimals) and have(values, decimals):
            return decimals
    return None
