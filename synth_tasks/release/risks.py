"""Proposing which columns an intruder may know, and which he may want to learn."""

from __future__ import annotations

import re

import numpy as np

from synth_tasks.data import Schema

MOST_KEYS = 4
LEAST_KEYS = 3
MOST_TARGETS = 5
KNOWN = re.compile(
    r"(^|[_\W\d])(age|birth|born|dob|sex|gender|reg|region|province|state|county|city|town|place|zip"
    r"|postcode|postal|country|nationality|ethnic\w*|race|marital|civil|education|edu|school|job"
    r"|occupation|profession|work|household|children|language|religion)($|[_\W\d])",
    re.IGNORECASE,
)
SENSITIVE = re.compile(
    r"(income|salary|wage|wealth|debt|benefit|diagnos|disease|illness|health|hiv|cancer|depress"
    r"|drug|alcohol|smok|abuse|crime|convict|vote|party|sexual|score|grade|test|result)",
    re.IGNORECASE,
)


def propose_keys(schema: Schema, matrix: np.ndarray, derived: list[str]) -> list[str]:
    """Propose quasi-identifiers: columns known by their names, then those with most different values.

    Parameters
    ----------
    schema : Schema
        The variables.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data.
    derived : list of str
        Columns that follow from others, which are no keys.

    Returns
    -------
    list of str
        Three or four, fewer only of a narrow table: of two columns or more one is left to be a target.
    """
    free = [name for name in schema.names if name not in derived and not SENSITIVE.search(name)]
    named = [name for name in free if KNOWN.search(name)][:MOST_KEYS]
    distinct = {name: _share_distinct(matrix[:, schema.position(name)]) for name in free}
    others = sorted((n for n in free if n not in named), key=lambda n: -distinct[n])
    chosen = named + others[: max(0, LEAST_KEYS - len(named))]
    if 1 < len(chosen) == len(schema) - len(derived):
        del chosen[-1]
    return [name for name in schema.names if name in chosen]


def propose_targets(schema: Schema, keys: list[str], derived: list[str]) -> list[str]:
    """Propose sensitive columns: those with telling names, else the first five that are no keys."""
    free = [name for name in schema.names if name not in {*keys, *derived}]
    named = [name for name in free if SENSITIVE.search(name)]
    return named or free[:MOST_TARGETS]


def share_unique(matrix: np.ndarray, schema: Schema, names: list[str]) -> float:
    """Return the share of rows that no other row equals in the columns named."""
    if not names:
        return 0.0
    rows = matrix[:, [schema.position(name) for name in names]]
    rows = np.where(np.isnan(rows), -np.inf, rows)  # two rows may share a hole
    _, counts = np.unique(rows, axis=0, return_counts=True)
    return float((counts == 1).sum() / len(rows))


def _share_distinct(values: np.ndarray) -> float:
    observed = values[~np.isnan(values)]
    return len(np.unique(observed)) / max(len(observed), 1)
