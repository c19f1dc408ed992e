"""What a step has changed, in counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from synth_tasks.data import Label, Schema


@dataclass(frozen=True)
class Changes:
    """The work of one step on one synthetic set.

    Parameters
    ----------
    step : str
        Its name.
    cells : mapping of str to int
        Changed cells of each column that has any, derived columns among them. Rows drawn anew count
        with all cells that differ.
    rows_dropped : int
        Rows left out.
    rows_redrawn : int
        Rows that are other ones than before.
    rows_left : int
        Replicated uniques that are still there.
    """

    step: str
    cells: Mapping[str, int] = field(default_factory=dict)
    rows_dropped: int = 0
    rows_redrawn: int = 0
    rows_left: int = 0


def count_cells(
    before: np.ndarray, after: np.ndarray, schema: Schema, changed: Schema | None = None
) -> dict[str, int]:
    """Count the cells in which two encoded tables of one shape differ, by column.

    Parameters
    ----------
    before, after : ndarray of shape (n_rows, n_variables)
        The tables.
    schema : Schema
        Of the table before.
    changed : Schema, optional
        Of the table after, if its categories are others.

    Returns
    -------
    dict of str to int
        For the columns that have any.
    """
    if changed is not None and changed != schema:
        before = before.copy()
        for i, (old, new) in enumerate(zip(schema, changed, strict=True)):
            if old.categories != new.categories:
                before[:, i] = _recode(before[:, i], old.categories, new.categories)
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    counts = (~same).sum(axis=0)
    return {v.name: int(n) for v, n in zip(schema, counts, strict=True) if n}


def _recode(
    codes: np.ndarray, old: Sequence[Label | None], new: Sequence[Label | None]
) -> np.ndarray:
    """Return the codes of the same labels; -1 for labels that are no more."""
    table = np.array([new.index(label) if label in new else -1 for label in old], dtype=float)
    recoded = codes.copy()
    known = ~np.isnan(codes)
    recoded[known] = table[codes[known].astype(int)]
    return recoded
