"""Verbatim copies of the own half beyond those of the other half.

``exact_match_excess``         share of synthetic rows equal to a record of the half they were made
                               from, less the share equal to a record of the other half
``unique_exact_match_excess``  the same for records that no other of their half equals

In [-1, 1], null value 0: what few categories make equal by chance is equal in both halves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synth_tasks.disclosure.cross_fitting import CrossFit
from synth_tasks.disclosure.exact_matches import EXACT_MATCH, UNIQUE_EXACT_MATCH
from synth_tasks.disclosure.excess import excess_of, measure_excess
from synth_tasks.disclosure.row_groups import group_rows
from synth_tasks.errors import DataError
from synth_tasks.ledger import Measurement, Metric

# What makes a synthetic row a copy, from the number of records it equals.
COPIES: tuple[tuple[Metric, Callable[[np.ndarray], np.ndarray]], ...] = (
    (excess_of(EXACT_MATCH), lambda twins: twins > 0),
    (excess_of(UNIQUE_EXACT_MATCH), lambda twins: twins == 1),
)
METRICS = tuple(metric for metric, _ in COPIES)


def measure_copies_excess(cross: CrossFit) -> list[Measurement]:
    """Count copies of either half.

    Parameters
    ----------
    cross : CrossFit
        The halves and their sets, with the variables to compare.

    Returns
    -------
    list of Measurement
        `METRICS`, n = rows of one set of each half: rows of several sets may copy the same record, so
        more sets are not more evidence.
    """
    if not len(cross.schema):
        raise DataError("exact matches need a variable that is not derived from others")
    own: list[np.ndarray] = []
    other: list[np.ndarray] = []
    for half, pair in cross.pairs():
        rows = group_rows(pair.real, pair.synthetic)
        for twins, members in zip((own, other), cross.trained[:: -1 if half else 1], strict=True):
            counts = np.bincount(rows.real[members], minlength=len(rows.real_counts))
            twins.append(counts[rows.synthetic])
    own_twins, other_twins = np.concatenate(own), np.concatenate(other)
    rows_a_set = sum(len(sets[0]) for sets in cross.sets)
    return [
        measure_excess(
            metric,
            is_copy(own_twins).astype(float),
            is_copy(other_twins).astype(float),
            n=rows_a_set,
        )
        for metric, is_copy in COPIES
    ]
