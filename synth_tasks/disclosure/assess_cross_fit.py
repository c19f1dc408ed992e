"""All disclosure metrics with a control, from one cross-fit.

Copies (`copies_excess`), keys (`keys_excess`), attribute prediction (`prediction`), membership
(`membership`) and, as information, which half is closer (`closest_half`). All stand for the sets
together (set 0): figures of single sets are averaged, and attacks that can use several sets at once do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from synth_tasks.disclosure import (
    closest_half,
    copies_excess,
    keys_excess,
    membership,
    prediction,
)
from synth_tasks.disclosure.cross_fitting import CrossFit
from synth_tasks.ledger import Measurement, Metric

METRICS: tuple[Metric, ...] = (
    *copies_excess.METRICS,
    *keys_excess.METRICS,
    *prediction.METRICS,
    *membership.METRICS,
    *closest_half.METRICS,
)
# Those that are measured of each target, and not at all where there is none.
TARGET_METRICS: tuple[Metric, ...] = (
    *(metric for metric, _ in keys_excess.FIGURES),
    *prediction.METRICS,
)


def assess_excess(
    cross: CrossFit,
    *,
    keys: Sequence[str],
    rng: np.random.Generator,
    targets: Sequence[str] = (),
    derived: Collection[str] = (),
    groups: int | None = None,
    max_rows: int = membership.MAX_ROWS,
    workers: int = 1,
) -> list[Measurement]:
    """Measure what a synthesis gives away about single records.

    Parameters
    ----------
    cross : CrossFit
        The halves and their sets, from `cross_fitting.cross_fit`.
    keys : sequence of str
        Variables an intruder may know; none leaves out all that rests on keys.
    rng : Generator
        Samples, resamples and grows forests.
    targets : sequence of str
        Variables an intruder may want to learn; those among the keys are left out.
    derived : collection of str
        Variables computed from others, left out where whole rows are compared.
    groups : int, optional
        Quantile groups of numeric keys and targets; see `attribution.KeyedPair`. Attribute prediction
        takes numbers as they are.
    max_rows : int, default 3000
        Largest number of records of each half that are attacked, and of synthetic rows of each half
        whose closest record is searched. Their neighbours are searched among all rows.
    workers : int, default 1
        Threads.

    Returns
    -------
    list of Measurement
        Metrics of `METRICS`, every value finite, set 0.
    """
    compared = cross.select([name for name in cross.schema.names if name not in derived])
    measurements = copies_excess.measure_copies_excess(compared)
    measurements += membership.measure_membership(
        membership.attack(compared, rng, max_rows, workers), rng
    )
    measurements.append(closest_half.measure_closest_half(compared, rng, max_rows, workers))
    if keys:
        wanted = [target for target in targets if target not in keys]
        measurements += keys_excess.measure_keys_excess(cross, keys, wanted, groups)
        for target in wanted:
            measurements += prediction.measure_prediction(cross, keys, target, rng, workers=workers)
    return measurements
