"""Distances between the distributions of single variables.

``total_variation``     half the sum over cells (`grouping`) of the absolute differences of shares: the
                        share of rows that would have to move to another cell
``kolmogorov_smirnov``  largest difference of the distribution functions of a numeric or ordinal
                        variable, over observed values

Both lie in [0, 1]. Null values are expectations for a plug-in synthesis of k rows: that of total
variation is exact, from the mean absolute deviation of a binomial variable with chance p,

    E|S - kp| = 2 v C(k, v) p^v (1 - p)^(k - v + 1),    v = floor(kp) + 1

that of Kolmogorov-Smirnov, sqrt(pi / 2) log(2) / sqrt(k), holds for large k and is too great where
values are tied. Both grow with the root of `TablePair.inflation` if the real rows are a sample.

References
----------
Diaconis & Zabell (1991). Closed form summation for classical distributions: variations on a theme of De
Moivre. Statistical Science 6, 284-302, equation 1.1.
Kolmogorov (1933). Sulla determinazione empirica di una legge di distribuzione. Giornale dell'Istituto
Italiano degli Attuari 4, 83-91.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

from synth_tasks.data import Kind
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.grouping import GroupedPair
from synth_tasks.utility.pair import TablePair
from synth_tasks.utility.propensity import kolmogorov_smirnov

TOTAL_VARIATION = Metric(
    family="utility",
    name="total_variation",
    goal=Goal.NEAR_NULL,
    minimum=0.0,
    maximum=1.0,
    null=NOT_GIVEN,
    reference="null: Diaconis & Zabell (1991), Statistical Science 6, 284-302",
)
KOLMOGOROV_SMIRNOV = replace(
    TOTAL_VARIATION, name="kolmogorov_smirnov", reference="Kolmogorov (1933)"
)
METRICS = (TOTAL_VARIATION, KOLMOGOROV_SMIRNOV)

# Mean of the largest absolute value of a Brownian bridge.
MEAN_SUPREMUM = math.sqrt(math.pi / 2) * math.log(2)


def measure_distances(pair: TablePair, grouped: GroupedPair) -> list[Measurement]:
    """Measure each variable.

    Parameters
    ----------
    pair : TablePair
        The tables.
    grouped : GroupedPair
        Their cells.

    Returns
    -------
    list of Measurement
        ``total_variation``, n = synthetic rows; ``kolmogorov_smirnov`` of variables with an order that
        are observed in both tables, n = observed synthetic values; target = variable.
    """
    measurements = []
    for i, variable in enumerate(pair.schema):
        real, synthetic = (
            np.bincount(table[:, i], minlength=grouped.sizes[i])
            for table in (grouped.real, grouped.synthetic)
        )
        measurements.append(
            TOTAL_VARIATION.measure(
                total_variation(real, synthetic),
                target=variable.name,
                set_number=pair.set_number,
                null=expected_variation(real, len(pair.synthetic), pair.inflation),
                n=len(pair.synthetic),
            )
        )
        if variable.kind not in (Kind.NOMINAL, Kind.STRING):
            measurements += _measure_order(pair, i)
    return measurements


def _measure_order(pair: TablePair, i: int) -> list[Measurement]:
    real, synthetic = pair.real[:, i], pair.synthetic[:, i]
    real, synthetic = real[~np.isnan(real)], synthetic[~np.isnan(synthetic)]
    if not len(real) or not len(synthetic):
        return []
    value = kolmogorov_smirnov(real, synthetic)
    null = min(1.0, MEAN_SUPREMUM * math.sqrt(pair.inflation / len(synthetic)))
    return [
        KOLMOGOROV_SMIRNOV.measure(
            value,
            target=pair.schema.names[i],
            set_number=pair.set_number,
            null=null,
            n=len(synthetic),
        )
    ]


def total_variation(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Compute the total variation distance of two tables of counts with positive sums."""
    difference = np.abs(real / real.sum() - synthetic / synthetic.sum())
    return min(1.0, float(difference.sum()) / 2)


def expected_variation(real: np.ndarray, k: int, inflation: float = 1.0) -> float:
    """Compute the expected distance of `k` rows drawn from the real table.

    Parameters
    ----------
    real : ndarray of shape (n_cells,)
        Counts.
    k : int
        Rows drawn, at least one.
    inflation : float, default 1
        See `TablePair.inflation`; the distance is then exact no more, but for large k.
    """
    p = real / real.sum()
    p = p[(p > 0) & (p < 1)]
    v = np.floor(k * p) + 1
    # v C(k, v) p^v (1 - p)^(k - v + 1) = v (1 - p) times a binomial probability.
    deviation = 2 * v * (1 - p) * stats.binom.pmf(v, k, p)
    return min(1.0, math.sqrt(inflation) * float(deviation.sum()) / (2 * k))
