"""DiSCO: what an intruder who knows the keys of a person would learn, and rightly.

With d_tq and s_tq the numbers of real and synthetic rows that hold value t of the target and
combination q of the keys, a dot for a sum, and n the number of real rows, in percent:

    disco                 100 sum of d_tq over {q, t: s_tq = s_.q > 0} / n
    disclosive_original   100 sum of d_tq over {q, t: d_tq = d_.q} / n

``disco`` (disclosive in synthetic, correct in original) is the share of real rows whose keys occur in
the synthetic set with one value of the target only, and that one is theirs. ``disclosive_original``
is the same were the real data published: a verbatim copy has equal figures.

There is no null value: where the keys determine the target, or one value is common, a high ``disco``
says what is known of everybody. Only the comparison with real rows that the synthesis has not seen
tells disclosure.

References
----------
Raab, Nowok & Dibben (2024). Practical privacy metrics for synthetic data. arXiv:2406.16826.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synth_tasks.disclosure.row_groups import group_rows, select_columns
from synth_tasks.errors import DataError
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
METRICS = (DISCO, DISCLOSIVE_ORIGINAL)


def measure_disco(
    pair: TablePair, keys: Sequence[str], target: str, groups: int | None = None
) -> list[Measurement]:
    """Count real rows whose target value can be read off.

    Parameters
    ----------
    pair : TablePair
        The tables.
    keys : sequence of str
        Variables an intruder may know. Missing counts as a value.
    target : str
        What the intruder wants to learn, none of the keys. Missing counts as a value.
    groups : int, optional
        2 or more. Group numeric keys and a numeric target into at most so many quantile groups of
        the real data. By default they are compared exactly, as far as they are published.

    Returns
    -------
    list of Measurement
        ``disco`` and ``disclosive_original`` in percent with Wilson interval; target = `target`, keys
        joined by ``+``, n = real rows.
    """
    if not keys:
        raise DataError("DiSCO needs a key: name one in disclosure.keys")
    if target in keys:
        raise DataError(
            f"'{target}' is a key, so it cannot be a target: take it out of one of them"
        )
    in_synthetic, in_real = _read_off(pair, keys, target, groups)
    n = len(in_real)

    def percent(metric: Metric, count: int) -> Measurement:
        lower, upper = wilson(count, n)
        return metric.measure(
            100 * count / n,
            target=target,
            keys="+".join(keys),
            set_number=pair.set_number,
            interval=(100 * lower, 100 * upper),
            n=n,
        )

    return [
        percent(DISCO, int(in_synthetic.sum())),
        percent(DISCLOSIVE_ORIGINAL, int(in_real.sum())),
    ]


def _read_off(
    pair: TablePair, keys: Sequence[str], target: str, groups: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Tell for each real row whether its keys alone give its target in either table."""
    real, synthetic = select_columns(pair, [*keys, target], groups)
    by_keys, by_all = group_rows(real[:, :-1], synthetic[:, :-1]), group_rows(real, synthetic)
    with_keys = by_keys.synthetic_counts[by_keys.real]
    agreeing = by_all.synthetic_counts[by_all.real]
    in_synthetic = (agreeing == with_keys) & (with_keys > 0)
    in_real = by_all.real_counts[by_all.real] == by_keys.real_counts[by_keys.real]
    return in_synthetic, in_real
