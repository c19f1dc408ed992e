"""How much more a synthesis gives away about the records it was trained on than about others.

Every record is judged twice: against sets made from its own half of the data, and against sets made
from the other half (`cross_fitting`). The mean of the first is the value of a metric, that of the
second its control, and

    <metric>_excess = value - control

Nothing that is true of the population can raise it, only what was learned from the single records.
The null value is 0.

Notes
-----
The interval is the adjusted Wald interval for a difference of paired shares: two records are added,
one with a difference of 1 and one of -1, and the normal interval of a mean is taken. It never has width
0, however rare the event. The records are the units: given the sets, which half a record belongs to is
a toss of a coin that decides the sign of its difference, so the differences are independent although
all records share the sets. Several sets are averaged within records first.

References
----------
Bonett & Price (2012). Adjusted Wald confidence interval for a difference of binomial proportions based
on paired data. Journal of Educational and Behavioral Statistics 37, 479-488.
Agresti & Min (2005). Simple improved confidence intervals for comparing matched proportions.
Statistics in Medicine 24, 729-740.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

from synth_tasks.ledger import Goal, Measurement, Metric
from synth_tasks.utility.intervals import CONFIDENCE, Interval

PERCENT = 100.0


def excess_of(metric: Metric) -> Metric:
    """Return the metric ``<metric>_excess``."""
    return replace(
        metric,
        name=f"{metric.name}_excess",
        goal=Goal.INFORMATION if metric.goal is Goal.INFORMATION else Goal.LOW,
        minimum=-metric.maximum,
        null=0.0,
        reference=f"{metric.reference}; cross-fitted; interval: Bonett & Price (2012)",
    )


def measure_excess(
    metric: Metric,
    own: np.ndarray,
    other: np.ndarray,
    *,
    target: str = "",
    keys: str = "",
    n: int | None = None,
) -> Measurement:
    """Compare a figure of records against their own sets with that against others.

    Parameters
    ----------
    metric : Metric
        The excess, as made by `excess_of`; if its largest value is 100 it is in percent.
    own, other : ndarray of shape (units,)
        Figure of each unit, within [0, 1], against the sets it was used for and against the others.
    target, keys
        See `Measurement`.
    n : int, optional
        Number of independent units, if there are fewer than values.

    Returns
    -------
    Measurement
        Set 0, with `control` the mean of `other`; n = independent units.
    """
    size = len(own) if n is None else n
    difference = own - other
    lower, upper = paired_interval(difference, size)
    scale = PERCENT if metric.maximum == PERCENT else 1.0
    measured = metric.measure(
        scale * float(difference.mean()),
        target=target,
        keys=keys,
        interval=(scale * lower, scale * upper),
        n=size,
    )
    return replace(measured, control=scale * float(other.mean()))


def paired_interval(
    differences: np.ndarray, n: int | None = None, confidence: float = CONFIDENCE
) -> Interval:
    """Compute the adjusted Wald interval of a mean of paired differences.

    Parameters
    ----------
    differences : ndarray of shape (units,)
        Within [-1, 1].
    n : int, optional
        Number of independent units, if there are fewer than values.
    confidence : float
        Coverage.

    Returns
    -------
    tuple of float
        Lower and upper limit, within [-1, 1].
    """
    size = len(differences) if n is None else n
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    total = size * float(differences.mean())
    squares = size * float((differences**2).mean()) + 2
    centre = total / (size + 2)
    reach = z * math.sqrt((squares / (size + 2) - centre**2) / (size + 2))
    return max(centre - reach, -1.0), min(centre + reach, 1.0)
