"""How many rows of a stratum are looked at where looking at all of them would take too long."""

from __future__ import annotations

from synth_tasks.disclosure.linkage import MAX_ROWS

CONTROL_ROWS = 10_000  # divided in halves, to measure with a control
LEAST_LINKED_ROWS = 300  # they tell a share of links of 2 per cent from none


def linked_rows(n_rows: int, sample_rows: int) -> int:
    """Return of how many synthetic rows of a stratum the neighbours are searched among all real rows.

    Fewer in large strata, so that the work does not grow with them.

    Parameters
    ----------
    n_rows : int
        Rows of the stratum.
    sample_rows : int
        `partition.sample_rows`; of no larger stratum as many rows are linked as of whole tables.
    """
    most = max(LEAST_LINKED_ROWS, MAX_ROWS * sample_rows // max(n_rows, sample_rows))
    return min(n_rows, most)
