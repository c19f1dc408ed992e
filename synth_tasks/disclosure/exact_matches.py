"""Verbatim copies: the share of synthetic rows that are identical to a real row.

``exact_match``         identical to some real row in all compared variables
``unique_exact_match``  identical to a real row that no other real row equals

Both lie in [0, 1]. The null value is 0 for tables with continuous variables; with few categorical
variables equal rows arise by chance, and the excess over unseen real rows is to be judged. Leave
derived (passive) variables out: they follow from the others, and where rounding or a rule changes
them they would hide a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from synth_tasks.disclosure.row_groups import group_rows
from synth_tasks.errors import DataError
from synth_tasks.ledger import Goal, Measurement, Metric
from synth_tasks.utility.intervals import wilson
from synth_tasks.utility.pair import TablePair

EXACT_MATCH = Metric(
    family="disclosure",
    name="exact_match",
    goal=Goal.LOW,
    minimum=0.0,
    maximum=1.0,
    null=0.0,
    reference="Pilgram et al. (2025), Patterns, 101320; interval: Wilson (1927)",
)
UNIQUE_EXACT_MATCH = replace(EXACT_MATCH, name="unique_exact_match")
METRICS = (EXACT_MATCH, UNIQUE_EXACT_MATCH)


def measure_exact_matches(
    pair: TablePair, variables: Sequence[str] | None = None
) -> list[Measurement]:
    """Count verbatim copies.

    Parameters
    ----------
    pair : TablePair
        The tables.
    variables : sequence of str, optional
        Variables to compare; all if not given. Missing equals missing.

    Returns
    -------
    list of Measurement
        ``exact_match`` and ``unique_exact_match`` with Wilson interval, n = synthetic rows.
    """
    names = pair.schema.names if variables is None else variables
    if not names:
        raise DataError("exact matches need a variable that is not derived from others")
    columns = [pair.schema.position(name) for name in names]
    groups = group_rows(pair.real[:, columns], pair.synthetic[:, columns])
    twins = groups.real_counts[groups.synthetic]
    k = len(twins)
    counts = {EXACT_MATCH: int((twins > 0).sum()), UNIQUE_EXACT_MATCH: int((twins == 1).sum())}
    return [
        metric.measure(count / k, set_number=pair.set_number, interval=wilson(count, k), n=k)
        for metric, count in counts.items()
    ]
