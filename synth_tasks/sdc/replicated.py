"""Replicated uniques: synthetic rows that single out a real person by the keys an intruder knows.

References
----------
Raab, Nowok & Dibben (2024). Practical privacy metrics for synthetic data. arXiv:2406.16826.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_tasks.data import Schema
from synth_tasks.disclosure.row_groups import group_rows, select_columns
from synth_tasks.utility.pair import TablePair


def find_replicated(
    real: np.ndarray,
    synthetic: np.ndarray,
    schema: Schema,
    keys: Sequence[str],
    groups: int | None = None,
) -> np.ndarray:
    """Mark the synthetic rows whose keys are unique in both tables, and equal.

    Parameters
    ----------
    real : ndarray of shape (n, p)
        Encoded real table, as it would be published.
    synthetic : ndarray of shape (k, p)
        Encoded synthetic table.
    schema : Schema
        Description of both.
    keys : sequence of str
        Variables an intruder may know. Missing counts as a value.
    groups : int, optional
        Quantile groups of the real data that numeric keys are compared in; exactly if not given.

    Returns
    -------
    ndarray of bool of shape (k,)
    """
    pair = TablePair(schema, _round(real, schema, keys), _round(synthetic, schema, keys))
    rows = group_rows(*select_columns(pair, keys, groups))
    return ((rows.real_counts == 1) & (rows.synthetic_counts == 1))[rows.synthetic]


def _round(matrix: np.ndarray, schema: Schema, keys: Sequence[str]) -> np.ndarray:
    """Bring keys to the resolution of their variables, at which equal values are equal numbers."""
    rounded = matrix.copy()
    for name in keys:
        column = rounded[:, schema.position(name)]
        column[:] = schema[name].round(column)
    return rounded
