"""Variables and the schema of a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from synth_tasks.data.closest import columns_there
from synth_tasks.errors import DataError

Label = str | int | float | bool

MAX_EXACT_INTEGER = 2**53
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
    spikes : tuple of float
        Numbers apart from the others: codes for reasons why a value is missing (-8), or a value that
        very many share (0 for no income).
    keep_missing : bool
        Whether missing values are data, to be synthesised like others, rather than holes to be filled.
    """

    name: str
    kind: Kind
    dtype: str
    categories: tuple[Label, ...] = ()
    label_dtype: str = ""
    ordered: bool = False
    decimals: int | None = None
    time_step: int = 1
    spikes: tuple[float, ...] = ()
    keep_missing: bool = False

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
    """What a user states about a column where inference would get it wrong; see `Variable`."""

    kind: Kind | None = None
    categories: tuple[Label, ...] | None = None
    decimals: int | None = None
    spikes: tuple[float, ...] = ()
    keep_missing: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """The variables of a table in column order."""

    variables: tuple[Variable, ...]
    _positions: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # The first of a name, where a table that is yet to be refused has it twice.
        numbered = reversed(list(enumerate(self.variables)))
        object.__setattr__(self, "_positions", {v.name: i for i, v in numbered})

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [v.name for v in self.variables]

    def __len__(self) -> int:
        return len(self.variables)

    def __iter__(self) -> Iterator[Variable]:
        return iter(self.variables)

    def holes(self, matrix: np.ndarray) -> np.ndarray:
        """Mark the cells of an encoded table that wait for a value.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, n_variables)
            Encoded data.

        Returns
        -------
        ndarray of bool of shape (n_rows, n_variables)
            Missing cells, but for variables that keep them as data.
        """
        return np.isnan(matrix) & ~np.array([v.keep_missing for v in self])

    def count_holes(self, matrix: np.ndarray) -> dict[str, int]:
        """Return the number of `holes` of every variable that has any."""
        counts = self.holes(matrix).sum(axis=0)
        return {v.name: int(n) for v, n in zip(self, counts, strict=True) if n}

    def __getitem__(self, name: str) -> Variable:
        return self.variables[self.position(name)]

    def __contains__(self, name: object) -> bool:
        return name in self._positions

    def only(self, names: Collection[str]) -> Schema:
        """Return the schema of some of the columns, in their order here."""
        return Schema(tuple(v for v in self if v.name in names))

    def position(self, name: str) -> int:
        """Return the column number of a variable."""
        try:
            return self._positions[name]
        except KeyError:
            there = columns_there(name, self.names)
            raise DataError(f"unknown column '{name}': {there}") from None

    def to_dict(self) -> list[dict[str, Any]]:
        """Return a JSON-ready description; `from_dict` reads it back."""
        return [
            asdict(v)
            | {
                "kind": str(v.kind),
                "categories": list(v.categories),
                "spikes": list(v.spikes),
            }
            for v in self
        ]

    @classmethod
    def from_dict(cls, items: Sequence[Mapping[str, Any]]) -> Schema:
        """Rebuild a schema from `to_dict`."""
        return cls(
            tuple(
                Variable(
                    **{
                        **item,
                        "kind": Kind(item["kind"]),
                        "categories": tuple(item["categories"]),
                        "spikes": tuple(item.get("spikes", ())),
                    }
                )
                for item in items
            )
        )
