"""Describing a table that is read piece by piece.

A digest holds what the description of a column rests on: counts, labels, and a few *witnesses*, values
that decide its kind, range and resolution as all values together would. Digests of pieces are put
together in any order. In the end the witnesses stand for the column, and `infer_schema` describes them:
there is one set of rules for tables that fit into memory and tables that do not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synth_tasks.data.encoding import as_utc
from synth_tasks.data.inference import MAX_DECIMALS, check_names, infer_schema
from synth_tasks.data.schema import MICROSECONDS_A_DAY, Schema, VariableOverride
from synth_tasks.errors import DataError

# Beyond so many observed values the rules of `infer_schema` do not change any more.
ROWS_THAT_MATTER = 5000
SPARE_ROWS = 10
MOST_LABELS = 10_001  # one more than can be released
# So many different whole numbers are enough: no more of them need be kept.
MOST_DISTINCT = 2_000_000


@dataclass(frozen=True)
class ColumnDigest:
    """What is known of the rows of a column that were read so far.

    Parameters
    ----------
    name : str
        The column.
    dtype : object
        pandas dtype; the one that may hold missing values if any piece needed it.
    n_rows, n_missing : int
        Counts.
    witnesses : tuple
        Values that decide kind, range and resolution; of texts and categories all labels, in the
        order in which they were met.
    labels : Counter
        Rows of each label, for texts, categories and booleans.
    distinct : ndarray of float, optional
        The different values so far, increasing, if all are whole numbers; else None. At
        `MOST_DISTINCT` they are enough: later pieces are only looked at by themselves.
    repeated : bool, default False
        Whether two rows share a value, of whole numbers.
    """

    name: str
    dtype: object
    n_rows: int
    n_missing: int
    witnesses: tuple[Hashable, ...]
    labels: Counter[Hashable] = field(default_factory=Counter)
    distinct: np.ndarray | None = None
    repeated: bool = False

    @property
    def n_observed(self) -> int:
        """Number of rows with a value."""
        return self.n_rows - self.n_missing

    def merge(self, other: ColumnDigest) -> ColumnDigest:
        """Put two pieces of a column together.

        Raises
        ------
        DataError
            If they are of different types.
        """
        dtype = _common_dtype(self, other)
        labels = self.labels + other.labels
        if labels or isinstance(dtype, pd.CategoricalDtype):
            witnesses = tuple(dict.fromkeys((*self.witnesses, *other.witnesses)))
            if len(witnesses) > MOST_LABELS:  # free text, or refused: all of them are not needed
                witnesses = witnesses[:MOST_LABELS]
                labels = Counter({label: labels[label] for label in witnesses})
        else:
            both = pd.Series([*self.witnesses, *other.witnesses], dtype=dtype, name=self.name)
            witnesses = _choose_witnesses(both)
        distinct, repeated = _unite(self.distinct, other.distinct)
        return ColumnDigest(
            self.name,
            dtype,
            self.n_rows + other.n_rows,
            self.n_missing + other.n_missing,
            witnesses,
            labels,
            distinct,
            repeated or self.repeated or other.repeated,
        )

    def represent(self, n_rows: int) -> pd.Series:
        """Return a short column that `infer_schema` describes as it would describe the whole one.

        Parameters
        ----------
        n_rows : int
            Its length.
        """
        n_observed = n_rows
        if self.n_missing:
            n_observed = min(
                self.n_observed, n_rows - 1, max(ROWS_THAT_MATTER, n_rows - SPARE_ROWS)
            )
        witnesses, dtype = self.witnesses, self.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            dtype = pd.CategoricalDtype(list(witnesses), ordered=dtype.ordered)
            witnesses = tuple(label for label in witnesses if self.labels[label])
        values = [witnesses[i % len(witnesses)] for i in range(n_observed) if witnesses]
        column = pd.Series(values, dtype=dtype, name=self.name)
        return column.reindex(range(n_rows)) if len(column) < n_rows else column


def digest_column(column: pd.Series, labelled: bool = False) -> ColumnDigest:
    """Describe a piece of a column.

    Parameters
    ----------
    column : Series
        Some rows.
    labelled : bool, default False
        Whether numbers are declared to be categories.
    """
    observed = column.dropna()
    name, n_missing = str(column.name), len(column) - len(observed)
    if labelled or _is_labelled(column):
        counts = observed.value_counts(sort=False)
        is_category = isinstance(column.dtype, pd.CategoricalDtype)
        met = column.cat.categories if is_category else counts.index
        labels = Counter({label: int(n) for label, n in counts.items() if n})
        return ColumnDigest(name, column.dtype, len(column), n_missing, tuple(met), labels)
    distinct, repeated = None, False
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = observed.to_numpy(dtype=float)
        if (values == np.rint(values)).all():
            distinct, repeated = _unite(np.empty(0), np.sort(values))
    return ColumnDigest(
        name,
        column.dtype,
        len(column),
        n_missing,
        _choose_witnesses(observed),
        distinct=distinct,
        repeated=repeated,
    )


@dataclass(frozen=True)
class TableDigest:
    """What is known of the rows of a table that were read so far.

    Parameters
    ----------
    columns : mapping of str to ColumnDigest
        In column order.
    """

    columns: Mapping[str, ColumnDigest]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return next(iter(self.columns.values())).n_rows

    def merge(self, other: TableDigest) -> TableDigest:
        """Put two pieces of a table together."""
        return TableDigest({n: c.merge(other.columns[n]) for n, c in self.columns.items()})

    def represent(self) -> pd.DataFrame:
        """Return a short table that `infer_schema` describes as it would describe the whole one."""
        longest = max(len(column.witnesses) for column in self.columns.values())
        n_rows = max(ROWS_THAT_MATTER, longest) + SPARE_ROWS
        n_rows = max(1, min(self.n_rows, n_rows))
        return pd.DataFrame({name: c.represent(n_rows) for name, c in self.columns.items()})

    def infer_schema(self, overrides: Mapping[str, VariableOverride] | None = None) -> Schema:
        """Describe the table; see `synth_tasks.data.infer_schema`."""
        return infer_schema(self.represent(), overrides)


def digest_table(frame: pd.DataFrame, labelled: Collection[str] = ()) -> TableDigest:
    """Describe some rows of a table.

    Parameters
    ----------
    frame : DataFrame
        The rows; all pieces have the same columns.
    labelled : collection of str
        Columns that are declared to hold categories.
    """
    check_names(list(frame.columns))
    return TableDigest({n: digest_column(frame[n], n in labelled) for n in map(str, frame.columns)})


# --- types ----------------------------------------------------------------------------------------


def _is_labelled(column: pd.Series) -> bool:
    dtype = column.dtype
    is_text = pd.api.types.is_string_dtype(dtype) or pd.api.types.is_object_dtype(dtype)
    return is_text or isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(dtype)


def _common_dtype(one: ColumnDigest, other: ColumnDigest) -> object:
    if one.dtype == other.dtype:
        return one.dtype
    if isinstance(one.dtype, pd.CategoricalDtype) and isinstance(other.dtype, pd.CategoricalDtype):
        return one.dtype
    for a, b in ((one.dtype, other.dtype), (other.dtype, one.dtype)):
        if _with_holes(str(b)) == str(a):
            return a
    for a, b in ((one, other), (other, one)):
        if not a.n_observed:  # a piece without a value has no say
            return b.dtype
    raise DataError(
        f"column '{one.name}' holds {one.dtype} in some rows and {other.dtype} in others: write it "
        "with one type"
    )


def _with_holes(name: str) -> str:
    """Return the name of the type of whole numbers or booleans that may be missing."""
    return "boolean" if name == "bool" else name.replace("int", "Int").replace("uInt", "UInt")


# --- witnesses ------------------------------------------------------------------------------------


def _choose_witnesses(observed: pd.Series) -> tuple[Hashable, ...]:
    if not len(observed):
        return ()
    if pd.api.types.is_datetime64_any_dtype(observed.dtype):
        places = _deciding_times(observed)
    elif pd.api.types.is_numeric_dtype(observed.dtype):
        places = _deciding_numbers(observed)
    else:
        places = [0]  # a type that `infer_schema` refuses
    return tuple(observed.iloc[sorted(set(places))])


def _deciding_times(observed: pd.Series) -> list[int]:
    times = as_utc(observed)
    steps = times.astype("datetime64[us]").astype("int64").to_numpy()
    marks = [steps % MICROSECONDS_A_DAY != 0, steps % 1_000_000 != 0]
    if "ns" in str(times.dtype):
        marks.append(times.astype("int64").to_numpy() % 1000 != 0)
    first = [int(np.argmax(mark)) for mark in marks if mark.any()]
    return [int(np.argmin(steps)), int(np.argmax(steps)), *first]


def _deciding_numbers(observed: pd.Series) -> list[int]:
    values = observed.to_numpy(dtype=float, na_value=math.nan)
    places = [int(np.argmin(values)), int(np.argmax(values))]
    finite = np.isfinite(values)
    if not finite.all():
        places.append(int(np.argmin(finite)))
    if pd.api.types.is_integer_dtype(observed.dtype):
        return places
    precision = np.float32 if "32" in str(observed.dtype) else np.float64
    left = np.flatnonzero(finite & (values != np.rint(values)))
    for decimals in range(1, MAX_DECIMALS + 2):
        if not len(left):
            break
        finest = left[0]  # has more decimals than were tried so far
        if decimals <= MAX_DECIMALS:
            rounded = np.round(values[left], decimals).astype(precision)
            left = left[rounded != values[left].astype(precision)]
        if decimals == MAX_DECIMALS + 1 or not len(left):
            places.append(int(finest))
    return places


def _unite(one: np.ndarray | None, other: np.ndarray | None) -> tuple[np.ndarray | None, bool]:
    """Return the different values of two increasing runs, and whether any of them was there twice."""
    if one is None or other is None:
        return None, False
    if max(len(one), len(other)) == MOST_DISTINCT:
        return max(one, other, key=len), False
    # Sorted runs are merged in linear time.
    together = np.sort(np.concatenate([one, other]), kind="stable")
    first = np.ones(len(together), dtype=bool)
    first[1:] = together[1:] > together[:-1]
    return together[first][:MOST_DISTINCT], not first.all()
