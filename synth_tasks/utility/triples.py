"""Joint distributions of three variables: three-way S_pMSE; see `tables` and `grouping`."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np

from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.grouping import GroupedPair
from synth_tasks.utility.intervals import Interval, median_interval
from synth_tasks.utility.tables import SPMSE_NULL, SPMSE_REFERENCE, cross_tabulate, spmse

SPMSE_TRIPLE_MEDIAN = Metric(
    family="utility",
    name="spmse_triple_median",
    goal=Goal.NEAR_NULL,
    minimum=0.0,
    maximum=math.inf,
    null=SPMSE_NULL,
    reference=SPMSE_REFERENCE,
)
SPMSE_TRIPLE_MAX = replace(SPMSE_TRIPLE_MEDIAN, name="spmse_triple_max")
METRICS = (SPMSE_TRIPLE_MEDIAN, SPMSE_TRIPLE_MAX)

MAX_CELLS = 50_000_000
MAX_TRIPLES = 5_000


def measure_triples(grouped: GroupedPair, rng: np.random.Generator) -> list[Measurement]:
    """Measure triples of variables, all of them in tables of moderate size.

    Parameters
    ----------
    grouped : GroupedPair
        Cells of both tables.
    rng : Generator
        Chooses triples if there are more than 5,000, or rows times triples are more than 50 million;
        not used otherwise.

    Returns
    -------
    list of Measurement
        ``spmse_triple_median``, with a 95 % interval if triples were chosen, and ``spmse_triple_max``,
        the largest value seen, with target ``"age:hgt:wgt"`` where it lies; n = number of triples.
        Fewer than three variables have no triple: the values are the null value.
    """
    most = max(1, min(MAX_TRIPLES, MAX_CELLS // grouped.n_rows))
    triples = _choose(len(grouped.names), most, rng)
    values = np.array([_measure(grouped, *triple) for triple in triples] or [SPMSE_NULL])
    chosen = len(triples) < math.comb(len(grouped.names), 3)
    interval: Interval = median_interval(values) if chosen else (NOT_GIVEN, NOT_GIVEN)
    worst = int(values.argmax())
    target = ":".join(grouped.names[i] for i in triples[worst]) if triples else ""
    number, n = grouped.set_number, len(triples)
    return [
        SPMSE_TRIPLE_MEDIAN.measure(
            float(np.median(values)), set_number=number, interval=interval, n=n
        ),
        SPMSE_TRIPLE_MAX.measure(values[worst], target=target, set_number=number, n=n),
    ]


def _choose(n_variables: int, most: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Return all triples, or as many different ones as allowed, without listing millions."""
    if math.comb(n_variables, 3) <= most:
        return list(combinations(range(n_variables), 3))
    chosen: set[tuple[int, ...]] = set()
    while len(chosen) < most:
        triple = np.sort(rng.choice(n_variables, size=3, replace=False))
        chosen.add(tuple(triple.tolist()))
    return sorted(chosen)


def _measure(grouped: GroupedPair, i: int, j: int, k: int) -> float:
    """Cross the cells of the third variable with those of the first two together."""
    size = int(grouped.sizes[j])
    both = [table[:, i] * size + table[:, j] for table in (grouped.real, grouped.synthetic)]
    return spmse(
        *cross_tabulate(
            (both[0], grouped.real[:, k]),
            (both[1], grouped.synthetic[:, k]),
            (int(grouped.sizes[i]) * size, int(grouped.sizes[k])),
        ),
        grouped.inflation,
    )
