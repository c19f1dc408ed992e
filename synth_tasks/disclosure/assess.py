"""All disclosure metrics, of one synthetic set and of all sets together."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from synth_tasks.data import Schema
from synth_tasks.disclosure import disco, exact_matches, linkage, own_values, replicated_uniques
from synth_tasks.disclosure.averaging import average_sets
from synth_tasks.errors import DataError
from synth_tasks.ledger import Measurement, Metric
from synth_tasks.utility.pair import TablePair, encode_rounded

METRICS: tuple[Metric, ...] = (
    *exact_matches.METRICS,
    *replicated_uniques.METRICS,
    *disco.METRICS,
    *linkage.METRICS,
    *own_values.METRICS,
)


def assess_disclosure(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    set_number: int,
    *,
    keys: Sequence[str],
    rng: np.random.Generator,
    targets: Sequence[str] = (),
    derived: Collection[str] = (),
    linkable: bool = True,
    groups: int | None = None,
    max_rows: int = linkage.MAX_ROWS,
) -> list[Measurement]:
    """Measure what a synthetic set gives away.

    Parameters
    ----------
    real : DataFrame of shape (n, p)
        The table that was synthesised.
    synthetic : DataFrame of shape (k, p)
        One synthetic set, for linkage in the row order of `real`; see `linkage.pair_in_order`.
    schema : Schema
        Description of both.
    set_number : int
        Number of the set, 1..m.
    keys : sequence of str
        Variables an intruder may know; none leaves replicated uniques and DiSCO out.
    rng : Generator
        Samples rows for linkage from large tables.
    targets : sequence of str
        Variables an intruder may want to learn, for DiSCO; those among the keys are left out.
    derived : collection of str
        Variables computed from others, left out of the comparison of whole rows.
    linkable : bool
        Whether row i was made from real row i; otherwise linkage and own values are left out.
    groups : int, optional
        Quantile groups of numeric keys and targets; see `replicated_uniques` and `disco`.
    max_rows : int
        Largest number of synthetic rows compared in linkage.

    Returns
    -------
    list of Measurement
        Metrics of `METRICS` but those of the average, every value finite.
    """
    pair = TablePair.encode(real, synthetic, schema, set_number)
    compared = [name for name in schema.names if name not in derived]
    measurements = exact_matches.measure_exact_matches(pair, compared)
    if keys:
        measurements += replicated_uniques.measure_replicated_uniques(pair, keys, groups)
        for target in targets:
            if target not in keys:
                measurements += disco.measure_disco(pair, keys, target, groups)
    if linkable:
        ordered = linkage.pair_in_order(pair)
        linked = linkage.link(ordered, rng, max_rows)
        measurements += linkage.measure_linkage(linked, set_number)
        measurements += own_values.measure_own_values(ordered)
    return measurements


def assess_average(
    real: pd.DataFrame,
    synthetic_sets: Sequence[pd.DataFrame],
    schema: Schema,
    rng: np.random.Generator,
    max_rows: int = linkage.MAX_ROWS,
) -> list[Measurement]:
    """Measure what the average of all sets gives away.

    Parameters
    ----------
    real : DataFrame of shape (n, p)
        The table that was synthesised.
    synthetic_sets : sequence of m DataFrame of shape (n, p)
        All sets, in the row order of `real`.
    schema, rng, max_rows
        See `assess_disclosure`.

    Returns
    -------
    list of Measurement
        ``self_linkage_average``, ``self_linkage_average_excess`` and ``self_linkage_rank_average``,
        set 0.
    """
    if not synthetic_sets:
        raise DataError("an average over sets needs at least one synthetic set")
    encoded = [encode_rounded(frame, schema) for frame in synthetic_sets]
    sizes = {len(matrix) for matrix in encoded}
    if len(sizes) > 1:
        raise DataError(
            f"the synthetic sets have {min(sizes)} to {max(sizes)} rows: "
            "only sets in the row order of the real table can be averaged"
        )
    pair = TablePair(schema, encode_rounded(real, schema), average_sets(encoded, schema))
    linked = linkage.link(linkage.pair_in_order(pair), rng, max_rows)
    return linkage.measure_linkage(linked, average=True)
