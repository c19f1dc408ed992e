"""Correlations of ordered variables, kept or lost.

The correlation of Pearson in the synthetic table minus that in the real one, on values and, for
ordinal and binary variables, on category codes; nominal variables are left out. Each pair uses the
rows in which both variables are observed. A variable that does not vary there has correlation 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synth_tasks.data import Kind
from synth_tasks.data.correlation import PairSums
from synth_tasks.ledger import Goal, Measurement, Metric
from synth_tasks.utility.chosen_pairs import MAX_PAIRS
from synth_tasks.utility.pair import TablePair

CORRELATION_DIFFERENCE = Metric(
    family="utility",
    name="correlation_difference",
    goal=Goal.NEAR_NULL,
    minimum=-2.0,
    maximum=2.0,
    null=0.0,
    reference="Pearson (1895)",
)
CORRELATION_DIFFERENCE_MAX = replace(
    CORRELATION_DIFFERENCE, name="correlation_difference_max", goal=Goal.LOW, minimum=0.0
)
METRICS = (CORRELATION_DIFFERENCE, CORRELATION_DIFFERENCE_MAX)


def measure_associations(pair: TablePair) -> list[Measurement]:
    """Measure all pairs of ordered variables.

    Parameters
    ----------
    pair : TablePair
        The tables.

    Returns
    -------
    list of Measurement
        ``correlation_difference`` with target ``"age:hgt"`` (column order), synthetic minus real, n
        = rows with both values in the table that has fewer of them; ``correlation_difference_max``,
        the largest absolute difference, n = number of pairs (0 without pairs). All pairs are
        compared; of more than 5000 only those that differ most are listed.
    """
    ordered = [i for i, v in enumerate(pair.schema) if v.kind not in (Kind.NOMINAL, Kind.STRING)]
    names = [pair.schema.names[i] for i in ordered]
    real, synthetic = correlate(pair.real[:, ordered]), correlate(pair.synthetic[:, ordered])
    return compare_correlations(names, real, synthetic, pair.set_number)


def compare_correlations(
    names: Sequence[str],
    real: tuple[np.ndarray, np.ndarray],
    synthetic: tuple[np.ndarray, np.ndarray],
    set_number: int,
) -> list[Measurement]:
    """Compare correlations that were computed before; see `measure_associations`.

    Parameters
    ----------
    names : sequence of p str
        Ordered variables.
    real, synthetic : tuple of two ndarray of shape (p, p)
        As returned by `correlate`.
    set_number : int
        Number of the synthetic set.
    """
    difference = synthetic[0] - real[0]
    n = np.minimum(real[1], synthetic[1])
    rows, columns = np.triu_indices(len(names), k=1)
    sizes = np.abs(difference[rows, columns])
    # Beyond so many, only those that differ most are listed, in column order.
    listed = np.sort(np.argsort(-sizes, kind="stable")[:MAX_PAIRS])
    measurements = [
        CORRELATION_DIFFERENCE.measure(
            difference[i, j],
            target=f"{names[i]}:{names[j]}",
            set_number=set_number,
            n=n[i, j],
        )
        for i, j in zip(rows[listed], columns[listed], strict=True)
    ]
    largest = CORRELATION_DIFFERENCE_MAX.measure(
        float(sizes.max(initial=0.0)),
        set_number=set_number,
        n=len(sizes),
    )
    return [*measurements, largest]


def correlate(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlate all columns over pairwise complete rows.

    Parameters
    ----------
    matrix : ndarray of shape (n, p)
        May hold NaN.

    Returns
    -------
    correlations : ndarray of shape (p, p)
        Within [-1, 1]; 0 where a variable does not vary.
    counts : ndarray of shape (p, p), int64
        Number of complete rows.
    """
    return correlate_sums(PairSums.of(matrix))


def correlate_sums(sums: PairSums) -> tuple[np.ndarray, np.ndarray]:
    """Return correlations and counts, as `correlate` does."""
    return sums.correlations, np.rint(sums.counts).astype(np.int64)
