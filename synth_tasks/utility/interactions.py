"""The design of a propensity model: main effects of all variables, and products of two of them.

Numbers are standardised and enter linearly; categories have an indicator each but the most frequent
one. Of variables with many categories the rarest share one indicator. If the products would be more
columns than allowed, pairs of variables that need few columns come first.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from synth_tasks.utility.features import PooledRows

MAX_LEVELS = 20


def build_design(rows: PooledRows, max_columns: int) -> np.ndarray:
    """Expand rows to the columns of a regression.

    Parameters
    ----------
    rows : PooledRows
        Real and synthetic rows.
    max_columns : int
        Most columns, the intercept among them; main effects are never left out.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        The intercept, main effects and products; columns may depend on each other.
    """
    blocks = [
        _indicators(rows.x[:, i]) if variable.is_categorical else _standardised(rows.x[:, i])
        for i, variable in enumerate(rows.variables)
    ]
    chosen = _choose_pairs([block.shape[1] for block in blocks], max_columns)
    widths = [block.shape[1] for block in blocks]
    total = 1 + sum(widths) + sum(widths[i] * widths[j] for i, j in chosen)
    design = np.empty((len(rows.x), total), order="F")
    design[:, 0] = 1.0
    filled = 1
    for block in blocks:
        design[:, filled : filled + block.shape[1]] = block
        filled += block.shape[1]
    for i, j in chosen:
        for column in blocks[i].T:
            end = filled + widths[j]
            np.multiply(column[:, None], blocks[j], out=design[:, filled:end])
            filled = end
    return design


def _choose_pairs(widths: list[int], max_columns: int) -> list[tuple[int, int]]:
    """Take pairs from the narrowest to the widest as long as there is room."""
    room = max_columns - 1 - sum(widths)
    chosen = []
    pairs = sorted(combinations(range(len(widths)), 2), key=lambda p: widths[p[0]] * widths[p[1]])
    for i, j in pairs:
        room -= widths[i] * widths[j]
        if room < 0:
            break
        chosen.append((i, j))
    return chosen


def _standardised(values: np.ndarray) -> np.ndarray:
    deviation = float(values.std())
    return ((values - values.mean()) / (deviation if deviation > 0 else 1.0))[:, None]


def _indicators(codes: np.ndarray) -> np.ndarray:
    """Return an indicator for every category that occurs but the most frequent one."""
    categories, counts = np.unique(codes, return_counts=True)
    frequent = categories[np.argsort(-counts, kind="stable")][:MAX_LEVELS]
    columns = [codes == category for category in frequent[1:]]
    if len(categories) > len(frequent):
        columns.append(~np.isin(codes, frequent))
    if not columns:
        return np.empty((len(codes), 0), order="F")
    return np.asfortranarray(np.column_stack(columns), dtype=float)
