"""Proposing analyses with which users of a release may begin."""

from __future__ import annotations

from typing import Any

import numpy as np

from synth_tasks.data import Kind, Schema
from synth_tasks.release.relations import quote_name

LEAST_VALUES = 10
MOST_MEANS = 6
PREDICTORS = 2
LARGEST_CORRELATION = 0.99


def propose_analyses(
    schema: Schema, matrix: np.ndarray, derived: list[str]
) -> list[dict[str, Any]]:
    """Propose a regression of the variable that others predict best, and the means.

    Parameters
    ----------
    schema : Schema
        The variables.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data.
    derived : list of str
        Columns that follow from others, which would make a regression trivial.

    Returns
    -------
    list of dict
        As in the section `analysis`; empty if there are no numbers.
    """
    names = [
        v.name
        for v in schema
        if v.kind in (Kind.NUMERIC, Kind.INTEGER)
        and v.name not in derived
        and "`" not in v.name
        and len(np.unique(matrix[:, schema.position(v.name)])) >= LEAST_VALUES
    ]
    if not names:
        return []
    means: dict[str, Any] = {"model": "mean", "variables": names[:MOST_MEANS]}
    regression = _propose_regression(names, matrix[:, [schema.position(n) for n in names]])
    return [means] if regression is None else [regression, means]


def _propose_regression(names: list[str], values: np.ndarray) -> dict[str, Any] | None:
    whole = values[~np.isnan(values).any(axis=1)]
    if len(names) <= PREDICTORS or len(whole) < LEAST_VALUES:
        return None
    spread = whole.std(axis=0)
    usable = np.flatnonzero(spread > 0)
    if len(usable) <= PREDICTORS:
        return None
    correlations = np.abs(np.corrcoef(whole[:, usable], rowvar=False))
    correlations[correlations > LARGEST_CORRELATION] = 0  # itself, and what says the same
    best = np.sort(correlations, axis=1)[:, -PREDICTORS:].sum(axis=1)
    outcome = int(np.argmax(best))
    chosen = sorted(np.argsort(-correlations[outcome], kind="stable")[:PREDICTORS])
    terms = " + ".join(quote_name(names[usable[i]]) for i in chosen)
    return {"model": "ols", "formula": f"{quote_name(names[usable[outcome]])} ~ {terms}"}
