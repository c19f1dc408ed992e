"""Number rows so that equal rows of two tables get equal numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synth_tasks.errors import DataError
from synth_tasks.utility.grouping import assign_cells, quantile_cuts
from synth_tasks.utility.pair import TablePair


@dataclass(frozen=True, slots=True)
class RowGroups:
    """Groups of equal rows in a real and a synthetic table.

    Parameters
    ----------
    real : ndarray of shape (n,), int64
        Group of each real row.
    synthetic : ndarray of shape (k,), int64
        Group of each synthetic row.
    real_counts, synthetic_counts : ndarray of shape (n_groups,), int64
        Number of rows of each table in each group.
    """

    real: np.ndarray
    synthetic: np.ndarray
    real_counts: np.ndarray
    synthetic_counts: np.ndarray


def group_rows(real: np.ndarray, synthetic: np.ndarray) -> RowGroups:
    """Find equal rows within and between two tables.

    Parameters
    ----------
    real : ndarray of shape (n, p)
        Encoded values; NaN equals NaN.
    synthetic : ndarray of shape (k, p)
        Likewise.

    Notes
    -----
    Columns are hashed one after the other, O((n + k) p). The groups so far and the
    codes of the next column make the new groups, so that, unlike with a hash of whole rows, two
    rows never collide.
    """
    n = len(real)
    groups = np.zeros(n + len(synthetic), dtype=np.int64)
    n_groups = 1
    for i in range(real.shape[1]):
        column = np.concatenate([real[:, i], synthetic[:, i]])
        codes, levels = pd.factorize(column, use_na_sentinel=False)
        groups, distinct = pd.factorize(groups * len(levels) + codes)
        n_groups = len(distinct)
    return RowGroups(
        real=groups[:n],
        synthetic=groups[n:],
        real_counts=np.bincount(groups[:n], minlength=n_groups),
        synthetic_counts=np.bincount(groups[n:], minlength=n_groups),
    )


def select_columns(
    pair: TablePair, names: Sequence[str], groups: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Pick variables of both tables.

    Parameters
    ----------
    pair : TablePair
        The tables.
    names : sequence of str
        Variables, in the order wanted.
    groups : int, optional
        2 or more. Replace numbers by at most so many quantile groups of the real data; missing
        stays apart.

    Returns
    -------
    real : ndarray of shape (n, len(names))
    synthetic : ndarray of shape (k, len(names))
    """
    if groups is not None and groups < 2:
        raise DataError(f"numeric keys cannot be put into {groups} group(s): ask for 2 or more")
    columns = [pair.schema.position(name) for name in names]
    real, synthetic = pair.real[:, columns].copy(), pair.synthetic[:, columns].copy()
    if groups is not None:
        for i, name in enumerate(names):
            if not pair.schema[name].is_categorical:
                cuts = quantile_cuts(real[:, i], groups)
                real[:, i] = assign_cells(real[:, i], cuts)
                synthetic[:, i] = assign_cells(synthetic[:, i], cuts)
    return real, synthetic
