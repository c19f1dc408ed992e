"""Pseudo-rows that keep categorical models estimable under perfect prediction."""

from __future__ import annotations

import numpy as np


def augment(
    codes: np.ndarray, columns: np.ndarray, n_levels: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add a few weighted pseudo-rows to the training data.

    For every column and every category there are two rows, with the column half a standard deviation
    above and below its mean, but within its range, and all other columns at their mean. Together they
    weigh as much as ``n_columns + 1`` rows. These are the rows that R's mice adds.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,), int
        Category of each row.
    columns : ndarray of shape (n_rows, n_columns)
        Design columns without intercept.
    n_levels : int
        Number of categories.

    Returns
    -------
    codes, columns, weights : ndarray
        The data with the pseudo-rows below.

    References
    ----------
    White, Daniel & Royston (2010). Avoiding bias due to perfect prediction in multiple imputation of
    incomplete categorical variables. Computational Statistics & Data Analysis 54, 2267-2275.
    """
    n_rows, n_columns = columns.shape
    if n_columns == 0:
        return codes, columns, np.ones(n_rows)
    mean, spread = columns.mean(axis=0), columns.std(axis=0, ddof=1 if n_rows > 1 else 0)
    shifts = np.vstack([np.diag(spread), -np.diag(spread)]) / 2
    within_range = np.clip(mean + shifts, columns.min(axis=0), columns.max(axis=0))
    pseudo = np.tile(within_range, (n_levels, 1))
    pseudo_codes = np.repeat(np.arange(n_levels), len(shifts))
    weight = (n_columns + 1) / len(pseudo)
    return (
        np.concatenate([codes, pseudo_codes]),
        np.vstack([columns, pseudo]),
        np.concatenate([np.ones(n_rows), np.full(len(pseudo), weight)]),
    )
