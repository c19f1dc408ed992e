"""Replicated uniques: people who can be singled out by what an intruder knows of them.

With d_q and s_q the numbers of real and synthetic rows that hold combination q of the keys, and n
and k the numbers of rows, in percent:

    UiO    100 #{q: d_q = 1} / n               real rows that are unique
    UiS    100 #{q: s_q = 1} / k               synthetic rows that are unique
    UiOiS  100 #{q: d_q = 1, s_q > 0} / n      unique real rows found in the synthetic set
    repU   100 #{q: d_q = 1, s_q = 1} / n      unique real rows that are unique there, too

0 <= repU <= UiOiS <= UiO <= 100. There is no null value: chance alone gives a repU above 0, and
only the comparison with real rows that the synthesis has not seen tells disclosure.

References
----------
Raab, Nowok & Dibben (2024). Practical privacy metrics for synthetic data. arXiv:2406.16826.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from synth_tasks.disclosure.attribution import KeyedPair
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.intervals import wilson
from synth_tasks.utility.pair import TablePair

REP_U = Metric(
    family="disclosure",
    name="repU",
    goal=Goal.LOW,
    minimum=0.0,
    maximum=100.0,
    null=NOT_GIVEN,
    reference="Raab, Nowok & Dibben (2024), arXiv:2406.16826; interval: Wilson (1927)",
)
U_IO = replace(REP_U, name="UiO", goal=Goal.INFORMATION)
U_IS = replace(REP_U, name="UiS", goal=Goal.INFORMATION)
U_IO_IS = replace(REP_U, name="UiOiS")
METRICS = (REP_U, U_IO, U_IS, U_IO_IS)


def measure_replicated_uniques(
    pair: TablePair, keys: Sequence[str], groups: int | None = None
) -> list[Measurement]:
    """Count uniques and replicated uniques.

    Parameters
    ----------
    pair : TablePair
        The tables.
    keys : sequence of str
        Variables an intruder may know. Missing counts as a value.
    groups : int, optional
        2 or more. Group numeric keys into at most so many quantile groups of the real data, for an
        intruder who knows them roughly. By default they are compared exactly, as far as they are
        published.

    Returns
    -------
    list of Measurement
        ``repU``, ``UiO``, ``UiS`` and ``UiOiS`` in percent, keys joined by ``+``; n = real rows,
        for ``UiS`` synthetic rows. ``repU`` and ``UiOiS`` have a Wilson interval.
    """
    return measure_uniques(KeyedPair(pair, keys, groups))


def measure_uniques(keyed: KeyedPair) -> list[Measurement]:
    """Count uniques and replicated uniques of tables that are grouped by their keys.

    Returns
    -------
    list of Measurement
        See `measure_replicated_uniques`.
    """
    rows = keyed.rows
    real_unique, synthetic_unique = rows.real_counts == 1, rows.synthetic_counts == 1
    n, k = len(rows.real), len(rows.synthetic)
    found = int((real_unique & (rows.synthetic_counts > 0)).sum())
    replicated = int((real_unique & synthetic_unique).sum())
    label = "+".join(keyed.keys)

    def percent(metric: Metric, count: int, size: int, *, interval: bool) -> Measurement:
        limits = wilson(count, size) if interval else (NOT_GIVEN, NOT_GIVEN)
        return metric.measure(
            100 * count / size,
            keys=label,
            set_number=keyed.pair.set_number,
            interval=(100 * limits[0], 100 * limits[1]),
            n=size,
        )

    return [
        percent(REP_U, replicated, n, interval=True),
        # How many rows are unique depends on the size of a table: it is a count, not an estimate.
        percent(U_IO, int(real_unique.sum()), n, interval=False),
        percent(U_IS, int(synthetic_unique.sum()), k, interval=False),
        percent(U_IO_IS, found, n, interval=True),
    ]
