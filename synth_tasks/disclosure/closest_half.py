"""The share of synthetic rows that are nearer to their own half than to the other.

``closest_record_share`` lies in [0, 1]; ties count half; the null value is 0.5. Information only, as
all that rests on the distance to the closest record; see `closeness`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synth_tasks.disclosure.closeness import CLOSEST_RECORD
from synth_tasks.disclosure.cross_fitting import CrossFit
from synth_tasks.disclosure.gower import scale_pair
from synth_tasks.disclosure.neighbours import find_neighbours
from synth_tasks.ledger import Measurement
from synth_tasks.utility.intervals import mean_interval

CLOSEST_RECORD_SHARE = replace(CLOSEST_RECORD, name="closest_record_share", null=0.5)
METRICS = (CLOSEST_RECORD_SHARE,)


def measure_closest_half(
    cross: CrossFit, rng: np.random.Generator, max_rows: int, workers: int = 1
) -> Measurement:
    """Compare the closest records of either half.

    Parameters
    ----------
    cross : CrossFit
        The halves and their sets, with the variables to compare.
    rng : Generator
        Chooses the rows when there are too many; not used otherwise.
    max_rows : int
        Look at a random sample of so many synthetic rows of each half at most.
    workers : int, default 1
        Threads.

    Returns
    -------
    Measurement
        ``closest_record_share`` with the normal interval of a mean; n = synthetic rows looked at.
    """
    nearer = []
    for half, pair in cross.pairs():
        size = max(1, max_rows // len(cross.sets[half]))
        rows = np.arange(len(pair.synthetic))
        if len(rows) > size:
            rows = np.sort(rng.choice(rows, size=size, replace=False))
        real, synthetic = scale_pair(pair)
        own, other = (
            find_neighbours(synthetic[:, rows], real[:, members], workers=workers).first
            for members in cross.trained[:: -1 if half else 1]
        )
        nearer.append((own < other) + (own == other) / 2)
    shares = np.concatenate(nearer)
    return CLOSEST_RECORD_SHARE.measure(
        shares.mean(), interval=mean_interval(shares), n=len(shares)
    )
