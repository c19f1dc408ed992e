"""DiSCO: what an intruder who knows the keys of a person would learn, and rightly.

With d_tq and s_tq the numbers of real and synthetic rows that hold value t of the target and
combination q of the keys, a dot for a sum, and n the number of real rows, in percent:

    keys_in_synthetic     iS      100 sum of d_.q over {q: s_.q > 0} / n
    disclosive_synthetic  DiS     100 sum of d_.q over {q: s_tq = s_.q > 0 for some t} / n
    disco                 DiSCO   100 sum of d_tq over {q, t: s_tq = s_.q > 0} / n
    disclosive_both       DiSDiO  100 sum of d_tq over {q, t: s_tq = s_.q > 0, d_tq = d_.q} / n
    disclosive_original   Dorig   100 sum of d_tq over {q, t: d_tq = d_.q} / n

``disco`` (disclosive in synthetic, correct in original) is the share of real rows whose keys occur in
the synthetic set with one value of the target only, and that one is theirs. An intruder gets there in
three steps, each of which may fail: the keys are found, they have one value, the value is right. So
disclosive_both <= disco <= disclosive_synthetic <= keys_in_synthetic. ``disclosive_original`` is the
same were the real data published: a verbatim copy has equal figures.

There is no null value: where the keys determine the target, or one value is common, a high ``disco``
says what is known of everybody. Only the comparison with real rows that the synthesis has not seen
tells disclosure (`excess`).

References
----------
Raab, Nowok & Dibben (2024). Practical privacy metrics for synthetic data. arXiv:2406.16826.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synth_tasks.disclosure.attribution import Attribution, KeyedPair
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.intervals import wilson
from synth_tasks.utility.pair import TablePair

DISCO = Metric(
    family="disclosure",
    name="disco",
    goal=Goal.LOW,
    minimum=0.0,
    maximum=100.0,
    null=NOT_GIVEN,
    reference="Raab, Nowok & Dibben (2024), arXiv:2406.16826; interval: Wilson (1927)",
)
DISCLOSIVE_ORIGINAL = replace(DISCO, name="disclosive_original", goal=Goal.INFORMATION)
KEYS_IN_SYNTHETIC = replace(DISCLOSIVE_ORIGINAL, name="keys_in_synthetic")
DISCLOSIVE_SYNTHETIC = replace(DISCLOSIVE_ORIGINAL, name="disclosive_synthetic")
DISCLOSIVE_BOTH = replace(DISCLOSIVE_ORIGINAL, name="disclosive_both")
METRICS = (DISCO, DISCLOSIVE_ORIGINAL, KEYS_IN_SYNTHETIC, DISCLOSIVE_SYNTHETIC, DISCLOSIVE_BOTH)


def measure_disco(
    pair: TablePair, keys: Sequence[str], target: str, groups: int | None = None
) -> list[Measurement]:
    """Count real rows whose target value can be read off.

    Parameters
    ----------
    pair : TablePair
        The tables.
    keys, groups
        See `attribution.KeyedPair`.
    target : str
        What the intruder wants to learn, none of the keys. Missing counts as a value.

    Returns
    -------
    list of Measurement
        See `measure_attribution`.
    """
    return measure_attribution(KeyedPair(pair, keys, groups).attribute(target))


def measure_attribution(attribution: Attribution) -> list[Measurement]:
    """Count real rows whose target value can be read off.

    Parameters
    ----------
    attribution : Attribution
        The tables of keys and target.

    Returns
    -------
    list of Measurement
        `METRICS` in percent with Wilson interval; target and keys, joined by ``+``; n = real rows.
    """
    counted: list[tuple[Metric, np.ndarray]] = [
        (DISCO, attribution.correct),
        (DISCLOSIVE_ORIGINAL, attribution.disclosive_original),
        (KEYS_IN_SYNTHETIC, attribution.found),
        (DISCLOSIVE_SYNTHETIC, attribution.found & attribution.settled),
        (DISCLOSIVE_BOTH, attribution.correct & attribution.disclosive_original),
    ]
    return [percent_of_rows(metric, attribution, rows) for metric, rows in counted]


def percent_of_rows(metric: Metric, attribution: Attribution, rows: np.ndarray) -> Measurement:
    """Write down the share of real rows that an array of bool marks, in percent."""
    count, n = int(rows.sum()), len(rows)
    lower, upper = wilson(count, n)
    return metric.measure(
        100 * count / n,
        target=attribution.target,
        keys="+".join(attribution.keys),
        set_number=attribution.set_number,
        interval=(100 * lower, 100 * upper),
        n=n,
    )
