"""Joint distributions of two variables: two-way S_pMSE; see `tables` and `grouping`."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.chosen_pairs import choose_pairs
from synth_tasks.utility.grouping import CellCounts
from synth_tasks.utility.intervals import Interval, median_interval
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
    """Measure pairs of variables: all of up to 100 variables; see `chosen_pairs`.

    Parameters
    ----------
    grouped : CellCounts
        Cells of both tables.

    Returns
    -------
    list of Measurement
        ``spmse_pair`` with target ``"age:hgt"`` (column order) and n = rows of both tables;
        ``spmse_pair_max`` and ``spmse_pair_median`` with n = number of pairs measured, the median with
        a 95 % interval if pairs were chosen. The null of the maximum is that of a single pair; a
        single variable has no pair, and its summaries are the null value.
    """
    pairs = choose_pairs(len(grouped.names))
    measurements = [
        SPMSE_PAIR.measure(
            spmse(*grouped.two(i, j), grouped.inflation),
            target=f"{grouped.names[i]}:{grouped.names[j]}",
            set_number=grouped.set_number,
            n=grouped.n_rows,
        )
        for i, j in pairs
    ]
    values = np.array([m.value for m in measurements] or [SPMSE_NULL])
    chosen = len(pairs) < math.comb(len(grouped.names), 2)
    interval: Interval = median_interval(values) if chosen else (NOT_GIVEN, NOT_GIVEN)
    number, n = grouped.set_number, len(pairs)
    largest = SPMSE_PAIR_MAX.measure(float(values.max()), set_number=number, n=n)
    median = SPMSE_PAIR_MEDIAN.measure(
        float(np.median(values)), set_number=number, interval=interval, n=n
    )
    return [*measurements, largest, median]
