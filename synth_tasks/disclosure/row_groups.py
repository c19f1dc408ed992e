"""Number rows so that equal rows of two tables get equal numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


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

    Notes ----- Columns are hashed one after the other, O((n + k) p). The groups so far and the
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
