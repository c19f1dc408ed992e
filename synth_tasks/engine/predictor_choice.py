"""Which variables predict which, where a table is too wide for all of them.

Three choices, each a matrix like that of `make_predictor_matrix` (row: target, column: predictor): by
correlation, by blocks of variables, and the strongest few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from synth_tasks.data import Schema, encode, infer_schema
from synth_tasks.data.closest import columns_there
from synth_tasks.data.correlation import PairSums
from synth_tasks.errors import PlanError

# Strengths are compared to so many digits: those beyond depend on the order in which sums are made.
DIGITS = 9


def quick_predictors(
    data: pd.DataFrame,
    mincor: float = 0.1,
    minpuc: float = 0.0,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    schema: Schema | None = None,
    max_predictors: int | None = None,
) -> pd.DataFrame:
    """Choose predictors by their correlation with the values, or with the holes, of a variable.

    A variable is used if its absolute correlation with the target, or with the indicator that the
    target is observed, is at least `mincor`, and if it is observed in at least a share `minpuc` of the
    rows in which the target is missing (the proportion of usable cases).

    Parameters
    ----------
    data : DataFrame of shape (n_rows, n_columns)
        The data to be imputed.
    mincor : float, default 0.1
        Least absolute correlation; categories count by their position.
    minpuc : float, default 0.0
        Least proportion of usable cases.
    include, exclude : sequence of str
        Predictors that are always, or never, used; `exclude` counts more.
    schema : Schema, optional
        Inferred if not given.
    max_predictors : int, optional
        Most predictors of a variable, beside those of `include`: the strongest, of equally strong ones
        the first.

    Returns
    -------
    DataFrame of shape (n_columns, n_columns), int
        Like `make_predictor_matrix`; rows of complete columns are zero.

    References
    ----------
    van Buuren, Boshuizen & Knook (1999). Multiple imputation of missing blood pressure covariates in
    survival analysis. Statistics in Medicine 18, 681-694.
    """
    matrix = encode(data, schema or infer_schema(data))
    names = list(data.columns)
    for setting, listed in (("include", include), ("exclude", exclude)):
        _require(f"quick_predictors: {setting} names the", listed, names)
    sums, always = PairSums.of(matrix), [names.index(name) for name in include]
    chosen = choose_by_correlation(sums, len(matrix), mincor, minpuc)
    if max_predictors is not None:
        chosen = keep_strongest(chosen, association(sums), max_predictors, always)
    chosen[:, always] = True
    chosen[~np.isnan(matrix).any(axis=0)] = False
    chosen[:, [names.index(name) for name in exclude]] = False
    np.fill_diagonal(chosen, False)
    return pd.DataFrame(chosen.astype(int), index=names, columns=names)


def choose_by_correlation(sums: PairSums, n_rows: int, mincor: float, minpuc: float) -> np.ndarray:
    """Choose predictors of all columns by their correlation; see `quick_predictors`.

    Parameters
    ----------
    sums : PairSums
        Of the encoded data.
    n_rows : int
        Number of their rows.
    mincor, minpuc
        See `quick_predictors`.

    Returns
    -------
    ndarray of bool of shape (n_variables, n_variables)
        Row: target.
    """
    observed = np.diag(sums.counts)
    holes = (n_rows - observed)[:, None]
    usable = np.where(holes > 0, (observed - sums.counts) / np.maximum(holes, 1), 1.0)
    chosen = (association(sums) >= mincor) & (usable >= minpuc)
    np.fill_diagonal(chosen, False)
    return chosen


def association(sums: PairSums) -> np.ndarray:
    """Return how strongly a predictor (column) tells of a target (row) or of its holes, in [0, 1]."""
    strongest = np.maximum(np.abs(sums.correlations), np.abs(sums.with_observed).T)
    return np.asarray(np.round(strongest, DIGITS))


def keep_strongest(
    chosen: np.ndarray, strength: np.ndarray, most: int, always: Sequence[int] = ()
) -> np.ndarray:
    """Keep the predictors of each target with the strongest association.

    Parameters
    ----------
    chosen : ndarray of bool of shape (n_variables, n_variables)
        What may be used; row: target.
    strength : ndarray of shape (n_variables, n_variables)
        From `association`.
    most : int
        How many are kept; of equally strong ones those that come first.
    always : sequence of int
        Columns that are kept besides, and do not count.

    Returns
    -------
    ndarray of bool of shape (n_variables, n_variables)
    """
    kept = np.zeros_like(chosen)
    fixed = np.zeros(len(chosen), dtype=bool)
    fixed[list(always)] = True
    for target, allowed in enumerate(chosen):
        candidates = np.flatnonzero(allowed & ~fixed)
        order = np.argsort(-strength[target, candidates], kind="stable")
        kept[target, candidates[order[:most]]] = True
        kept[target] |= allowed & fixed
    return kept


def block_predictors(
    names: Sequence[str], blocks: Mapping[str, Sequence[str]], always: Sequence[str] = ()
) -> pd.DataFrame:
    """Let variables be predicted within their block, and from key variables.

    Parameters
    ----------
    names : sequence of str
        All columns.
    blocks : mapping of str to sequence of str
        Columns of each block, or patterns such as ``"wave1_*"``. What is in none forms one more block.
    always : sequence of str
        Key variables: they predict the variables of all blocks, and are predicted by each other and by
        those of their own block.

    Returns
    -------
    DataFrame of shape (n_columns, n_columns), int
        Like `make_predictor_matrix`.

    Raises
    ------
    PlanError
        If a name or pattern fits no column, or a column is in two blocks.
    """
    _require("blocks: always names the", always, names)
    block_of = np.full(len(names), -1)
    for number, (block, patterns) in enumerate(blocks.items()):
        for pattern in patterns:
            fits = [i for i, name in enumerate(names) if fnmatchcase(name, pattern)]
            if not fits:
                _require(f"blocks: '{block}' names the", [pattern], names)
            for i in fits:
                if block_of[i] not in (-1, number):
                    other = list(blocks)[block_of[i]]
                    raise PlanError(
                        f"blocks: column '{names[i]}' is in '{other}' and in '{block}': leave one out"
                    )
                block_of[i] = number
    chosen = block_of[:, None] == block_of
    chosen[:, [names.index(name) for name in always]] = True
    np.fill_diagonal(chosen, False)
    return pd.DataFrame(chosen.astype(int), index=list(names), columns=list(names))


def _require(what: str, listed: Sequence[str], names: Sequence[str]) -> None:
    for name in listed:
        if name not in names:
            raise PlanError(f"{what} unknown column '{name}'; {columns_there(name, names)}")
