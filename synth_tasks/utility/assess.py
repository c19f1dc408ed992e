"""All utility metrics of a synthetic set."""

from __future__ import annotations

import pandas as pd

from synth_tasks.data import Schema
from synth_tasks.ledger import Measurement, Metric
from synth_tasks.utility import associations, marginals, missing, pairs
from synth_tasks.utility.at_once import AtOnce
from synth_tasks.utility.grouping import group_pair
from synth_tasks.utility.pair import TablePair

METRICS: tuple[Metric, ...] = (
    *marginals.METRICS,
    *pairs.METRICS,
    *associations.METRICS,
    *missing.METRICS,
)


def assess_utility(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    set_number: int,
    *,
    real_share: float = 1.0,
    at_once: AtOnce | None = None,
) -> list[Measurement]:
    """Measure what a synthetic set keeps.

    Parameters
    ----------
    real : DataFrame of shape (n, p)
        The table that was synthesised.
    synthetic : DataFrame of shape (k, p)
        One synthetic set; the order of its rows does not matter.
    schema : Schema
        Description of both.
    set_number : int
        Number of the set, 1..m.
    real_share : float, default 1
        Share of all real rows of which `real` consists, if it is a random sample of them.
    at_once : AtOnce, optional
        The family of tables that are judged at once.

    Returns
    -------
    list of Measurement
        Metrics of `METRICS`, every value finite.
    """
    pair = TablePair.encode(real, synthetic, schema, set_number, real_share)
    grouped = group_pair(pair)
    return [
        *marginals.measure_marginals(grouped, at_once),
        *pairs.measure_pairs(grouped, at_once),
        *associations.measure_associations(pair),
        *missing.measure_missing(pair, at_once),
    ]
