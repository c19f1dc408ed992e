"""Joint distributions of two variables: two-way S_pMSE; see `tables` and `grouping`."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.at_once import AtOnce
from synth_tasks.utility.chosen_pairs import choose_pairs
from synth_tasks.utility.grouping import CellCounts
from synth_tasks.utility.intervals import Interval, median_interval
from synth_tasks.utility.tables import SPMSE_NULL, SPMSE_REFERENCE, spmse, spmse_beyond_chance

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


def measure_pairs(grouped: CellCounts, at_once: AtOnce | None = None) -> list[Measurement]:
    """Measure pairs of variables: all of up to 100 variables; see `chosen_pairs`.

    Parameters
    ----------
    grouped : CellCounts
        Cells of both tables.
    at_once : AtOnce, optional
        The family of tables that are judged at once.

    Returns
    -------
    list of Measurement
        ``spmse_pair`` with target ``"age:hgt"`` (column order) and n = rows of both tables;
        ``spmse_pair_max`` and ``spmse_pair_median`` with n = number of pairs measured, the median with
        a 95 % interval if pairs were chosen. The null of the maximum is that of a single pair; a
        single variable has no pair, and its summaries are the null value. In a family all have a lower
        bound, the summaries the maximum and the median of those of pairs (`spmse_beyond_chance`).
    """
    pairs = choose_pairs(len(grouped.names))
    number, n = grouped.set_number, len(pairs)
    measurements = [
        SPMSE_PAIR.measure(
            spmse(*grouped.two(i, j), grouped.inflation),
            target=f"{grouped.names[i]}:{grouped.names[j]}",
            set_number=number,
            interval=(
                NOT_GIVEN
                if at_once is None
                else spmse_beyond_chance(*grouped.two(i, j), grouped.inflation, at_once, n),
                NOT_GIVEN,
            ),
            n=grouped.n_rows,
        )
        for i, j in pairs
    ]
    values = np.array([m.value for m in measurements] or [SPMSE_NULL])
    at_least = np.array([m.lower for m in measurements] or [SPMSE_NULL])
    chosen = n < math.comb(len(grouped.names), 2)
    interval: Interval = median_interval(values) if chosen else (NOT_GIVEN, NOT_GIVEN)
    if at_once is not None:
        interval = float(np.median(at_least)), NOT_GIVEN
    return [
        *measurements,
        SPMSE_PAIR_MAX.measure(
            float(values.max()),
            set_number=number,
            interval=(NOT_GIVEN if at_once is None else float(at_least.max()), NOT_GIVEN),
            n=n,
        ),
        SPMSE_PAIR_MEDIAN.measure(
            float(np.median(values)), set_number=number, interval=interval, n=n
        ),
    ]
