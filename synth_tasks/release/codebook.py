"""What a data file says about its columns beyond their values: labels, codes, missing codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from synth_tasks.data import Label


@dataclass(frozen=True, slots=True)
class ColumnNotes:
    """The notes on one column.

    Parameters
    ----------
    label : str
        Variable label, e.g. ``"Height in cm"``.
    codes : tuple of (category, code)
        The number, or letter of an extended missing value (``"a"`` for Stata's ``.a``), that stood for
        each category.
    missing : tuple of (code, label)
        Numbers that mean a missing value and are data of the release: spikes and categories.
    """

    label: str = ""
    codes: tuple[tuple[Label, float | str], ...] = ()
    missing: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Codebook:
    """The notes on all columns that have any.

    Parameters
    ----------
    columns : mapping of str to ColumnNotes
        By column name.
    """

    columns: Mapping[str, ColumnNotes] = field(default_factory=dict)

    def __getitem__(self, name: str) -> ColumnNotes:
        return self.columns.get(name, ColumnNotes())

    def restrict(self, names: list[str]) -> Codebook:
        """Leave out the columns that are not named, and notes that say nothing."""
        return Codebook({n: self[n] for n in names if self[n] != ColumnNotes()})

    def with_labels(self, labels: Mapping[str, str]) -> Codebook:
        """Give columns other labels."""
        changed = {name: replace(self[name], label=label) for name, label in labels.items()}
        return Codebook({**self.columns, **changed})

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form; `from_dict` reads it back."""
        return {name: asdict(notes) for name, notes in self.columns.items()}

    @classmethod
    def from_dict(cls, item: Mapping[str, Any]) -> Codebook:
        """Rebuild a codebook from `to_dict`."""
        return cls({name: _notes(**notes) for name, notes in item.items()})


def _notes(label: str, codes: list[Any], missing: list[Any]) -> ColumnNotes:
    return ColumnNotes(label, tuple(map(tuple, codes)), tuple(map(tuple, missing)))
