"""Support of the extremes that are published.

The largest value of a variable often is that of one known person. A synthetic value counts as extreme
if fewer than `support` real rows, 5 by default, lie at least as far out on its side:

    extreme_share    share of the observed synthetic values that are extreme
    copied_extreme   share of the observed synthetic values that are extreme and equal a real value
    extreme_support  number of real rows at least as far out as the outermost synthetic value,
                     the smaller one of both sides

A smoothed extreme equals no real value; it tells roughly how far the real data go, which the policy
may allow. The null value of both shares is the share of real values that are extreme, which is what
draws from the margin give: about 2 (support - 1)/n. Date-times count as numbers; variables with at most
two values have no extremes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synth_tasks.errors import DataError
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.pair import TablePair

SUPPORT = 5

EXTREME_SHARE = Metric(
    family="disclosure",
    name="extreme_share",
    goal=Goal.LOW,
    minimum=0.0,
    maximum=1.0,
    null=NOT_GIVEN,
    reference="synth_tasks.disclosure.extremes; Hundepool et al. (2012), Statistical disclosure "
    "control, section 3.2 (top and bottom coding)",
)
COPIED_EXTREME = replace(EXTREME_SHARE, name="copied_extreme")
EXTREME_SUPPORT = replace(
    EXTREME_SHARE, name="extreme_support", goal=Goal.INFORMATION, maximum=float("inf")
)
METRICS = (EXTREME_SHARE, COPIED_EXTREME, EXTREME_SUPPORT)


def measure_extremes(pair: TablePair, support: int = SUPPORT) -> list[Measurement]:
    """Measure the numeric variables.

    Parameters
    ----------
    pair : TablePair
        The tables.
    support : int, default 5
        Number of real rows that a published value needs at least as far out.

    Returns
    -------
    list of Measurement
        `METRICS` of each numeric variable that has more than two real and any synthetic values;
        n = observed synthetic values.
    """
    if support < 1:
        raise DataError("extremes need the support of 1 real row or more")
    measurements = []
    for i, variable in enumerate(pair.schema):
        real, synthetic = (
            np.sort(column[~np.isnan(column)]) for column in (pair.real[:, i], pair.synthetic[:, i])
        )
        if variable.is_categorical or not len(synthetic) or len(np.unique(real)) <= 2:
            continue
        outer = _rows_beyond(real, synthetic)
        extreme = outer < support
        copied = extreme & np.isin(synthetic, real)
        null = float((_rows_beyond(real, real) < support).mean())
        measurements += [
            metric.measure(
                float(value),
                target=variable.name,
                set_number=pair.set_number,
                null=expected,
                n=len(synthetic),
            )
            for metric, value, expected in (
                (EXTREME_SHARE, extreme.mean(), null),
                (COPIED_EXTREME, copied.mean(), null),
                (EXTREME_SUPPORT, outer.min(), NOT_GIVEN),
            )
        ]
    return measurements


def _rows_beyond(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Count the sorted real values at least as far out as each value, on the side with fewer."""
    above = len(ordered) - np.searchsorted(ordered, values, side="left")
    below = np.searchsorted(ordered, values, side="right")
    return np.minimum(above, below)
