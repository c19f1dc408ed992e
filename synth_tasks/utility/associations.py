"""Correlations of ordered variables, kept or lost.

The correlation of Pearson in the synthetic table minus that in the real one, on values and, for
ordinal and binary variables, on category codes; nominal variables are left out. Each pair uses the
rows in which both variables are observed. A variable that does not vary there has correlation 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from synth_tasks.data import Kind
from synth_tasks.ledger import Goal, Measurement, Metric
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

# Variance below this, of variables scaled to variance 1, is rounding error.
NO_VARIANCE = 1e-12


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
        the largest absolute difference, n = number of pairs (0 without pairs).
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
    measurements = [
        CORRELATION_DIFFERENCE.measure(
            difference[i, j],
            target=f"{names[i]}:{names[j]}",
            set_number=set_number,
            n=n[i, j],
        )
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    largest = CORRELATION_DIFFERENCE_MAX.measure(
        max((abs(m.value) for m in measurements), default=0.0),
        set_number=set_number,
        n=len(measurements),
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

    Notes
    -----
    With x zero where missing and w the 0/1 matrix of observed cells, all sums over complete rows are
    products of matrices: of x_i by x'w, of x_i² by (x²)'w, of x_i x_j by x'x.
    """
    observed = ~np.isnan(matrix)
    return correlate_sums(sum_products(_standardise(matrix, observed), observed))


@dataclass(frozen=True)
class Sums:
    """Sums over pairwise complete rows, each of shape (p, p); those of parts of a table add up.

    Parameters
    ----------
    counts : ndarray
        Complete rows.
    values : ndarray
        Sums of x_i where x_j is observed.
    squares : ndarray
        Sums of x_i² where x_j is observed.
    products : ndarray
        Sums of x_i x_j.
    """

    counts: np.ndarray
    values: np.ndarray
    squares: np.ndarray
    products: np.ndarray

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.counts + other.counts,
            self.values + other.values,
            self.squares + other.squares,
            self.products + other.products,
        )


def sum_products(x: np.ndarray, observed: np.ndarray) -> Sums:
    """Add up.

    Parameters
    ----------
    x : ndarray of shape (n, p)
        Values near 0 and of size 1, or digits are lost; 0 where they are missing.
    observed : ndarray of bool of shape (n, p)
        Where they are not.
    """
    w = observed.astype(float)
    return Sums(w.T @ w, x.T @ w, (x**2).T @ w, x.T @ x)


def correlate_sums(sums: Sums) -> tuple[np.ndarray, np.ndarray]:
    """Return correlations and counts, as `correlate` does."""
    counts = sums.counts
    size = np.maximum(counts, 1)
    means = sums.values / size
    variances = sums.squares / size - means**2
    covariances = sums.products / size - means * means.T
    varies = (variances > NO_VARIANCE) & (variances.T > NO_VARIANCE)
    scale = np.sqrt(np.where(varies, variances * variances.T, 1.0))
    correlations = np.where(varies, covariances / scale, 0.0)
    return np.clip(correlations, -1.0, 1.0), np.rint(counts).astype(np.int64)


def _standardise(matrix: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Centre and scale columns, so that differences of sums keep their digits; missing is 0."""
    size = np.maximum(observed.sum(axis=0), 1)
    centred = np.where(observed, matrix, 0.0)
    centred = np.where(observed, centred - centred.sum(axis=0) / size, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=0) / size)
    return centred / np.where(deviation > 0, deviation, 1.0)
