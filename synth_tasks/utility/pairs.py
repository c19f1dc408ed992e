"""Joint distributions of two variables: two-way S_pMSE; see `tables` and `grouping`."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np

from synth_tasks.ledger import Goal, Measurement, Metric
from synth_tasks.utility.grouping import CellCounts
from synth_tasks.utility.tables import SPMSE_NULL, SPMSE_REFERENCE, spmse

SPMSE_PAIR = Metric(
    family="utility",
    name="spmse_pair",
    goal=Goal.NEAR_NULL,
    minimum=0.0,
    maximum=math.inf,
    null=SPMSE_NULL,
    reference=SPMSE_REFERENCE,
)
SPMSE_PAIR_MAX = replace(SPMSE_PAIR, name="spmse_pair_max")
SPMSE_PAIR_MEDIAN = replace(SPMSE_PAIR, name="spmse_pair_median")
METRICS = (SPMSE_PAIR, SPMSE_PAIR_MAX, SPMSE_PAIR_MEDIAN)


def measure_pairs(grouped: CellCounts) -> list[Measurement]:
    """Measure all pairs of variables.

    Parameters
    ----------
    grouped : CellCounts
        Cells of both tables.

    Returns
    -------
    list of Measurement
        ``spmse_pair`` with target ``"age:hgt"`` (column order) and n = rows of both tables;
        ``spmse_pair_max`` and ``spmse_pair_median`` with n = number of pairs. The null of the
        maximum is that of a single pair; a single variable has no pair, and its summaries are the
        null value.
    """
    measurements = [
        SPMSE_PAIR.measure(
            spmse(*grouped.two(i, j)),
            target=f"{grouped.names[i]}:{grouped.names[j]}",
            set_number=grouped.set_number,
            n=grouped.n_rows,
        )
        for i, j in combinations(range(len(grouped.names)), 2)
    ]
    values = [m.value for m in measurements]
    summaries = {
        SPMSE_PAIR_MAX: max(values, default=SPMSE_NULL),
        SPMSE_PAIR_MEDIAN: float(np.median(values)) if values else SPMSE_NULL,
    }
    return measurements + [
        metric.measure(value, set_number=grouped.set_number, n=len(values))
        for metric, value in summaries.items()
    ]
