"""All disclosure metrics with a control, from one cross-fit.

exact_match_excess, unique_exact_match_excess
    Synthetic rows equal to a record (to one that no other equals) of their own half, less those equal
    to one of the other half.
repU_excess, disco_excess, dcap_excess
    As `replicated_uniques`, `disco` and `attribution_probability`, in percentage points.
attribute_prediction, its marginal and its excess
    As `prediction`.
membership_distance_auc and _tpr, membership_density_auc and _tpr
    As `membership`.
closest_record_share
    Share of synthetic rows that are nearer to their own half than to the other, ties counted half; null
    value 0.5; information only.

All stand for the sets together (set 0): the figures of single sets are averaged, and attacks that
can use several sets at once do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from synth_tasks.disclosure import membership, prediction
from synth_tasks.disclosure.attribution import KeyedPair
from synth_tasks.disclosure.attribution_probability import DCAP
from synth_tasks.disclosure.closeness import CLOSEST_RECORD
from synth_tasks.disclosure.cross_fitting import CrossFit
from synth_tasks.disclosure.disco import DISCO
from synth_tasks.disclosure.exact_matches import EXACT_MATCH, UNIQUE_EXACT_MATCH
from synth_tasks.disclosure.excess import excess_of, measure_excess
from synth_tasks.disclosure.gower import scale_pair
from synth_tasks.disclosure.neighbours import find_neighbours
from synth_tasks.disclosure.replicated_uniques import REP_U
from synth_tasks.disclosure.row_groups import RowGroups, group_rows
from synth_tasks.ledger import Measurement, Metric
from synth_tasks.utility.intervals import mean_interval

EXACT_MATCH_EXCESS = excess_of(EXACT_MATCH)
UNIQUE_EXACT_MATCH_EXCESS = excess_of(UNIQUE_EXACT_MATCH)
REP_U_EXCESS = excess_of(REP_U)
DISCO_EXCESS = excess_of(DISCO)
DCAP_EXCESS = excess_of(DCAP)
CLOSEST_RECORD_SHARE = replace(CLOSEST_RECORD, name="closest_record_share", null=0.5)
METRICS: tuple[Metric, ...] = (
    EXACT_MATCH_EXCESS,
    UNIQUE_EXACT_MATCH_EXCESS,
    REP_U_EXCESS,
    DISCO_EXCESS,
    DCAP_EXCESS,
    *prediction.METRICS,
    *membership.METRICS,
    CLOSEST_RECORD_SHARE,
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
    measurements = _exact_match_excesses(compared)
    measurements += membership.measure_membership(
        membership.attack(compared, rng, max_rows, workers), rng
    )
    measurements.append(_closest_record_share(compared, rng, max_rows, workers))
    if keys:
        wanted = [target for target in targets if target not in keys]
        measurements += _key_excesses(cross, keys, wanted, groups)
        for target in wanted:
            measurements += prediction.measure_prediction(cross, keys, target, rng, workers=workers)
    return measurements


def _exact_match_excesses(cross: CrossFit) -> list[Measurement]:
    """Count copies of either half; rows of several sets may copy one record, so sets do not add."""
    own: list[np.ndarray] = []
    other: list[np.ndarray] = []
    for half, pair in cross.pairs():
        rows = group_rows(pair.real, pair.synthetic)
        for twins, members in zip((own, other), cross.trained[:: -1 if half else 1], strict=True):
            counts = np.bincount(rows.real[members], minlength=len(rows.real_counts))
            twins.append(counts[rows.synthetic])
    own_twins, other_twins = np.concatenate(own), np.concatenate(other)
    rows_a_set = sum(len(sets[0]) for sets in cross.sets)
    return [
        measure_excess(metric, is_copy(own_twins), is_copy(other_twins), n=rows_a_set)
        for metric, is_copy in (
            (EXACT_MATCH_EXCESS, lambda twins: (twins > 0).astype(float)),
            (UNIQUE_EXACT_MATCH_EXCESS, lambda twins: (twins == 1).astype(float)),
        )
    ]


def _key_excesses(
    cross: CrossFit, keys: Sequence[str], targets: Sequence[str], groups: int | None
) -> list[Measurement]:
    """Average the figures that rest on keys over the sets of each half, in one pass."""
    n = len(cross.real)
    figures: dict[tuple[str, str], list[np.ndarray]] = {}

    def add(name: str, target: str, half: int, values: np.ndarray) -> None:
        total = figures.setdefault((name, target), [np.zeros(n), np.zeros(n)])
        total[half] += values / len(cross.sets[half])

    for half, pair in cross.pairs():
        keyed = KeyedPair(pair, keys, groups)
        add("repU", "", half, _replicated(keyed.rows, cross.in_first))
        for target in targets:
            attribution = keyed.attribute(target)
            add("disco", target, half, attribution.correct)
            add("dcap", target, half, attribution.probability)
    metrics = {"repU": REP_U_EXCESS, "disco": DISCO_EXCESS, "dcap": DCAP_EXCESS}
    return [
        measure_excess(
            metrics[name], *cross.own_and_other(by_half), target=target, keys="+".join(keys)
        )
        for (name, target), by_half in figures.items()
    ]


def _replicated(rows: RowGroups, in_first: np.ndarray) -> np.ndarray:
    """Tell which records are unique in their half and in the synthetic set."""
    alone = np.empty(len(in_first), dtype=bool)
    for members in (in_first, ~in_first):
        groups = rows.real[members]
        alone[members] = np.bincount(groups, minlength=len(rows.real_counts))[groups] == 1
    return alone & (rows.synthetic_counts[rows.real] == 1)


def _closest_record_share(
    cross: CrossFit, rng: np.random.Generator, max_rows: int, workers: int
) -> Measurement:
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
