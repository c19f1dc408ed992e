"""What an intruder who knows keys learns of the own half beyond what is learned of the other half.

``repU_excess``   replicated uniques (`replicated_uniques`); a record is unique among those of its half
``disco_excess``  values read off, rightly (`disco`)
``dcap_excess``   chance to guess the value (`attribution_probability`)

In percentage points, [-100, 100], null value 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from synth_tasks.disclosure.attribution import Attribution, KeyedPair
from synth_tasks.disclosure.attribution_probability import DCAP
from synth_tasks.disclosure.cross_fitting import CrossFit
from synth_tasks.disclosure.disco import DISCO
from synth_tasks.disclosure.excess import excess_of, measure_excess
from synth_tasks.disclosure.replicated_uniques import REP_U
from synth_tasks.disclosure.row_groups import RowGroups
from synth_tasks.ledger import Measurement, Metric

REP_U_EXCESS = excess_of(REP_U)

# Figures of real records about a target, within [0, 1]; each becomes an excess.
FIGURES: tuple[tuple[Metric, Callable[[Attribution], np.ndarray]], ...] = (
    (excess_of(DISCO), lambda attribution: attribution.correct),
    (excess_of(DCAP), lambda attribution: attribution.probability),
)
METRICS = (REP_U_EXCESS, *(metric for metric, _ in FIGURES))


def measure_keys_excess(
    cross: CrossFit, keys: Sequence[str], targets: Sequence[str], groups: int | None = None
) -> list[Measurement]:
    """Average the figures of each record over the sets of each half, and compare.

    Parameters
    ----------
    cross : CrossFit
        The halves and their sets.
    keys, groups
        See `attribution.KeyedPair`.
    targets : sequence of str
        What the intruder wants to learn, none of the keys.

    Returns
    -------
    list of Measurement
        `METRICS`, set 0, n = real records.
    """
    n = len(cross.real)
    totals: dict[tuple[Metric, str], list[np.ndarray]] = {}

    def add(metric: Metric, target: str, half: int, figures: np.ndarray) -> None:
        by_half = totals.setdefault((metric, target), [np.zeros(n), np.zeros(n)])
        by_half[half] += figures / len(cross.sets[half])

    for half, pair in cross.pairs():
        keyed = KeyedPair(pair, keys, groups)
        add(REP_U_EXCESS, "", half, _replicated(keyed.rows, cross.in_first))
        for target in targets:
            attribution = keyed.attribute(target)
            for metric, figure in FIGURES:
                add(metric, target, half, figure(attribution))
    return [
        measure_excess(metric, *cross.own_and_other(by_half), target=target, keys="+".join(keys))
        for (metric, target), by_half in totals.items()
    ]


def _replicated(rows: RowGroups, in_first: np.ndarray) -> np.ndarray:
    """Tell which records are unique in their half and in the synthetic set."""
    alone = np.empty(len(in_first), dtype=bool)
    for members in (in_first, ~in_first):
        groups = rows.real[members]
        alone[members] = np.bincount(groups, minlength=len(rows.real_counts))[groups] == 1
    return alone & (rows.synthetic_counts[rows.real] == 1)
