"""Random tables of all kinds of variable, for property tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from synth_tasks.data import VariableOverride

FINITE = st.floats(-1e6, 1e6).map(lambda value: round(value, 3) + 0.0)
WORDS = st.sampled_from(["north", "south", "east", "it's", "", "ü"])
INSTANTS = st.datetimes(
    pd.Timestamp("1700-01-01").to_pydatetime(), pd.Timestamp("2250-01-01").to_pydatetime()
)


def _column(
    values: st.SearchStrategy, dtype: str, missing: bool
) -> Callable[[int], st.SearchStrategy]:
    cells = values | st.none() if missing else values

    def of_length(n_rows: int) -> st.SearchStrategy:
        # The first value is observed: a column without any is refused.
        rest = st.lists(cells, min_size=n_rows - 1, max_size=n_rows - 1)
        return st.tuples(values, rest).map(lambda v: pd.Series([v[0], *v[1]], dtype=dtype))

    return of_length


def _category(ordered: bool) -> Callable[[int], st.SearchStrategy]:
    dtype = pd.CategoricalDtype(["low", "mid", "high", "never"], ordered=ordered)

    def of_length(n_rows: int) -> st.SearchStrategy:
        codes = st.lists(st.integers(-1, 2), min_size=n_rows - 1, max_size=n_rows - 1)
        return codes.map(lambda c: pd.Series(pd.Categorical.from_codes([1, *c], dtype=dtype)))

    return of_length


def _zoned(n_rows: int) -> st.SearchStrategy:
    naive = _column(INSTANTS, "datetime64[us]", True)(n_rows)
    return naive.map(lambda c: c.dt.tz_localize("UTC").dt.tz_convert("Europe/Amsterdam"))


COLUMNS: dict[str, Callable[[int], st.SearchStrategy]] = {
    "float64": _column(FINITE, "float64", True),
    "float32": _column(FINITE, "float32", True),
    "Float64": _column(FINITE, "Float64", True),
    "int64": _column(st.integers(-(2**53), 2**53), "int64", False),
    "int32": _column(st.integers(-(2**31), 2**31 - 1), "int32", False),
    "uint8": _column(st.integers(0, 255), "uint8", False),
    "Int64": _column(st.integers(-(2**53), 2**53), "Int64", True),
    "Int8": _column(st.integers(-128, 127), "Int8", True),
    "bool": _column(st.booleans(), "bool", False),
    "boolean": _column(st.booleans(), "boolean", True),
    "str": _column(WORDS, "str", True),
    "object": _column(WORDS, "object", True),
    "string": _column(WORDS, "string", True),
    "nominal": _category(ordered=False),
    "ordinal": _category(ordered=True),
    "datetime64[us]": _column(INSTANTS, "datetime64[us]", True),
    "datetime64[s]": _column(
        INSTANTS.map(lambda t: t.replace(microsecond=0)), "datetime64[s]", True
    ),
    "tz-aware": _zoned,
    "int64[pyarrow]": _column(st.integers(-1000, 1000), "int64[pyarrow]", True),
    "double[pyarrow]": _column(FINITE, "double[pyarrow]", True),
}


@st.composite
def frames(
    draw: st.DrawFn, max_rows: int = 12, max_columns: int = 5, twins: bool = False
) -> pd.DataFrame:
    """Draw a table; with `twins`, some columns may repeat others or hold one value only."""
    n_rows = draw(st.integers(1, max_rows))
    kinds = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=max_columns))
    columns = {f"{kind} {i}": draw(COLUMNS[kind](n_rows)) for i, kind in enumerate(kinds)}
    if twins and draw(st.booleans()):
        original = draw(st.sampled_from(sorted(columns)))
        columns["twin"] = columns[original].copy()
    if twins and draw(st.booleans()):
        columns["constant"] = pd.Series(np.full(n_rows, 4.5))
    return pd.DataFrame(columns)


@st.composite
def parted_frames(
    draw: st.DrawFn, max_rows: int = 12, max_columns: int = 5
) -> tuple[pd.DataFrame, dict[str, VariableOverride]]:
    """Draw a table, and which columns keep missing values as data or have spikes."""
    frame = draw(frames(max_rows, max_columns, twins=True))
    overrides = {}
    for name in frame:
        spikes: tuple[float, ...] = ()
        numeric = pd.api.types.is_numeric_dtype(frame[name].dtype)
        if numeric and not pd.api.types.is_bool_dtype(frame[name].dtype):
            values = sorted({float(value) for value in frame[name].dropna()})
            spikes = tuple(draw(st.lists(st.sampled_from(values), max_size=2, unique=True)))
        overrides[name] = VariableOverride(spikes=spikes, keep_missing=draw(st.booleans()))
    return frame, overrides
