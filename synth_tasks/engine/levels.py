"""Categories that a synthesis loses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_tasks.data import Schema
from synth_tasks.engine.plan import LoggedEvent


def lost_levels(before: np.ndarray, after: np.ndarray) -> int:
    """Count the categories that occur in one column but not in another; missing values do not count."""
    n_before, n_after = (np.bincount(c[~np.isnan(c)].astype(int)) for c in (before, after))
    lost = n_before > 0
    lost[: len(n_after)] &= n_after[: len(lost)] == 0
    return int(lost.sum())


def never_drawn(
    schema: Schema, real: np.ndarray, sets: Sequence[np.ndarray], names: Sequence[str]
) -> list[LoggedEvent]:
    """Say which variables have categories in the data that no synthetic set shows.

    Parameters
    ----------
    schema : Schema
        All variables.
    real : ndarray of shape (n_rows, n_variables)
        Encoded real data.
    sets : sequence of ndarray of shape (k, n_variables)
        Encoded synthetic data.
    names : sequence of str
        Variables that were drawn.

    Returns
    -------
    list of LoggedEvent
        Counts only.
    """
    events = []
    for name in names:
        if schema[name].is_categorical:
            column = schema.position(name)
            n_lost = lost_levels(real[:, column], np.concatenate([s[:, column] for s in sets]))
            if n_lost:
                event = f"{n_lost} of its categories occur in none of the {len(sets)} sets"
                events.append(LoggedEvent(name, event))
    return events
