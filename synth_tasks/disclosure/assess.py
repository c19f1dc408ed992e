"""All disclosure metrics, of one synthetic set and of all sets together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synth_tasks.data import Schema
from synth_tasks.disclosure import (
    anonymity,
    attribution_probability,
    closeness,
    disco,
    exact_matches,
    expected_relations,
    extremes,
    linkage,
    own_values,
    replicated_uniques,
)
from synth_tasks.disclosure.attribution import KeyedPair
from synth_tasks.disclosure.averaging import average_sets
from synth_tasks.disclosure.expected_relations import ExpectedLimits
from synth_tasks.disclosure.gower import scale_pair
from synth_tasks.disclosure.neighbours import Neighbours, find_neighbours
from synth_tasks.errors import DataError
from synth_tasks.ledger import Measurement, Metric
from synth_tasks.utility.pair import TablePair, encode_rounded

METRICS: tuple[Metric, ...] = (
    *exact_matches.METRICS,
    *replicated_uniques.METRICS,
    *disco.METRICS,
    *attribution_probability.METRICS,
    *expected_relations.METRICS,
    *anonymity.METRICS,
    *extremes.METRICS,
    *linkage.METRICS,
    *own_values.METRICS,
    *closeness.METRICS,
)
# Those that are measured of each target, and not at all where there is none.
TARGET_METRICS: tuple[Metric, ...] = (
    *disco.METRICS,
    *attribution_probability.METRICS,
    *expected_relations.METRICS,
    *(anonymity.L_DIVERSITY, anonymity.BELOW_L),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something counts; each is a matter of policy.

    Parameters
    ----------
    k : int, default 3
        Least number of published rows with equal keys.
    values : int, default 2
        Least number of values of a target among them.
    support : int, default 5
        Number of real rows at least as far out as a published value.
    expected : ExpectedLimits
        From when on a disclosure would have been expected.
    """

    k: int = anonymity.K
    values: int = anonymity.L
    support: int = extremes.SUPPORT
    expected: ExpectedLimits = field(default_factory=ExpectedLimits)


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
    limits: Limits | None = None,
    workers: int = 1,
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
        Variables an intruder may know; none leaves out all that rests on keys.
    rng : Generator
        Samples rows whose neighbours are searched from large tables.
    targets : sequence of str
        Variables an intruder may want to learn; those among the keys are left out.
    derived : collection of str
        Variables computed from others, left out of the comparison of whole rows.
    linkable : bool
        Whether row i was made from real row i; otherwise linkage and own values are left out.
    groups : int, optional
        Quantile groups of numeric keys and targets; see `attribution.KeyedPair`.
    max_rows : int
        Largest number of synthetic rows whose neighbours are searched, among all real rows.
    limits : Limits, optional
        From when on a row, a cell or a value counts.
    workers : int, default 1
        Threads.

    Returns
    -------
    list of Measurement
        Metrics of `METRICS` but those of the average, every value finite.
    """
    limits = limits or Limits()
    pair = TablePair.encode(real, synthetic, schema, set_number)
    compared = [name for name in schema.names if name not in derived]
    measurements = exact_matches.measure_exact_matches(pair, compared)
    measurements += extremes.measure_extremes(pair, limits.support)
    if keys:
        wanted = [target for target in targets if target not in keys]
        measurements += _measure_keys(KeyedPair(pair, keys, groups), wanted, limits)
    if linkable:
        ordered = linkage.pair_in_order(pair)
        linked = linkage.link(ordered, rng, max_rows, workers)
        measurements += linkage.measure_linkage(linked, set_number)
        measurements += own_values.measure_own_values(ordered)
        neighbours = linked.neighbours
    else:
        neighbours = _sample_neighbours(pair, rng, max_rows, workers)
    return measurements + closeness.measure_closeness(neighbours, len(schema), set_number)


def _measure_keys(keyed: KeyedPair, targets: Sequence[str], limits: Limits) -> list[Measurement]:
    """Measure all that rests on keys; rows are grouped by them once."""
    measurements = replicated_uniques.measure_uniques(keyed)
    measurements += anonymity.measure_anonymity(keyed, limits.k)
    for target in targets:
        attribution = keyed.attribute(target)
        measurements += disco.measure_attribution(attribution)
        measurements += attribution_probability.measure_attribution_probability(attribution)
        measurements += expected_relations.measure_expected(attribution, limits.expected)
        measurements += anonymity.measure_diversity(keyed, target, limits.values)
    return measurements


def _sample_neighbours(
    pair: TablePair, rng: np.random.Generator, max_rows: int, workers: int
) -> Neighbours:
    real, synthetic = scale_pair(pair)
    k = synthetic.shape[1]
    if k > max_rows:
        synthetic = synthetic[:, np.sort(rng.choice(k, size=max_rows, replace=False))]
    return find_neighbours(synthetic, real, workers=workers)


def assess_average(
    real: pd.DataFrame,
    synthetic_sets: Sequence[pd.DataFrame],
    schema: Schema,
    rng: np.random.Generator,
    max_rows: int = linkage.MAX_ROWS,
    workers: int = 1,
) -> list[Measurement]:
    """Measure what the average of all sets gives away.

    Parameters
    ----------
    real : DataFrame of shape (n, p)
        The table that was synthesised.
    synthetic_sets : sequence of m DataFrame of shape (n, p)
        All sets, in the row order of `real`.
    schema, rng, max_rows, workers
        See `assess_disclosure`.

    Returns
    -------
    list of Measurement
        ``self_linkage_average``, ``self_linkage_average_excess`` and ``self_linkage_rank_average``,
        set 0; none if the sets have no row.
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
    if sizes == {0}:
        return []
    pair = TablePair(schema, encode_rounded(real, schema), average_sets(encoded, schema))
    linked = linkage.link(linkage.pair_in_order(pair), rng, max_rows, workers)
    return linkage.measure_linkage(linked, average=True)
