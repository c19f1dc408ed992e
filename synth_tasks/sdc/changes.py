"""What a step has changed, in counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from synth_tasks.data import Schema


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


def count_cells(before: np.ndarray, after: np.ndarray, schema: Schema) -> dict[str, int]:
    """Count the cells in which two encoded tables of one shape differ, by column."""
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    counts = (~same).sum(axis=0)
    return {v.name: int(n) for v, n in zip(schema, counts, strict=True) if n}
