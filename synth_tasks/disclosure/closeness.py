"""Distance of synthetic rows to the closest real record.

    closest_record   median over synthetic rows of the distance of Gower, in [0, 1], to the nearest
                     real row (distance to closest record, DCR)
    nearest_ratio    median of the distance to the nearest over that to the second nearest real row
                     (nearest neighbour distance ratio, NNDR), in [0, 1]; 0/0 counts as 1

Both are information. They depend on how dense the data are, they miss copies of few records, and sets
that pass a test on them have been attacked with success. Nothing may be released because of them.

References
----------
Yao, Krco, Ganev & de Montjoye (2025). The DCR delusion: measuring the privacy risk of synthetic data.
arXiv:2505.01524.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synth_tasks.disclosure.neighbours import Neighbours
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.intervals import median_interval

CLOSEST_RECORD = Metric(
    family="disclosure",
    name="closest_record",
    goal=Goal.INFORMATION,
    minimum=0.0,
    maximum=1.0,
    null=NOT_GIVEN,
    reference="Yao et al. (2025), arXiv:2505.01524; Gower (1971)",
)
NEAREST_RATIO = replace(CLOSEST_RECORD, name="nearest_ratio")
METRICS = (CLOSEST_RECORD, NEAREST_RATIO)


def measure_closeness(
    neighbours: Neighbours, n_variables: int, set_number: int = 0
) -> list[Measurement]:
    """Measure how near the real rows are.

    Parameters
    ----------
    neighbours : Neighbours
        The real rows near each synthetic row that was looked at.
    n_variables : int
        Number of variables p compared; it turns sums over variables into Gower's distance.
    set_number : int
        Number of the set.

    Returns
    -------
    list of Measurement
        `METRICS` with the interval of a median, n = synthetic rows looked at. Without a second real
        row there is no ratio.
    """
    first, second = neighbours.first, neighbours.second
    figures = [(CLOSEST_RECORD, first / n_variables)]
    if np.isfinite(second).all():
        equal = first == second
        figures.append((NEAREST_RATIO, np.where(equal, 1.0, first / np.where(equal, 1.0, second))))
    return [
        metric.measure(
            float(np.median(values)),
            set_number=set_number,
            interval=median_interval(values),
            n=len(values),
        )
        for metric, values in figures
    ]
