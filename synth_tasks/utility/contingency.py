"""Other comparisons of two contingency tables than S_pMSE, for pairs of variables.

With d_j and s_j the numbers of real and synthetic rows in cell j, of n and k rows, and e_j = k d_j / n:

``freeman_tukey_pair``    4 sum_j (sqrt(s_j) - sqrt(e_j))² / (non-empty cells - 1); like S_pMSE about 1
                          for a plug-in synthesis and 2 for another real sample (k = n), but cells with
                          few rows count less
``jensen_shannon_pair``   divergence of Jensen and Shannon, in bits, in [0, 1]; its null is
                          (non-empty real cells - 1) / (8 k log 2) for a plug-in synthesis with k = n
``total_variation_pair``  half the sum of absolute differences of shares; for its null see `distances`

If the real rows are a sample, the first two nulls are larger by `TablePair.inflation`.

References
----------
Freeman & Tukey (1950). Transformations related to the angular and the square root. Annals of
Mathematical Statistics 21, 607-611.
Lin (1991). Divergence measures based on the Shannon entropy. IEEE Transactions on Information Theory
37, 145-151.
Raab, Nowok & Dibben (2021). Assessing, visualizing and improving the utility of synthetic data.
arXiv:2109.12717.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.chosen_pairs import choose_pairs
from synth_tasks.utility.distances import expected_variation, total_variation
from synth_tasks.utility.grouping import CellCounts

FREEMAN_TUKEY_MEDIAN = Metric(
    family="utility",
    name="freeman_tukey_pair_median",
    goal=Goal.NEAR_NULL,
    minimum=0.0,
    maximum=math.inf,
    null=1.0,
    reference="Freeman & Tukey (1950); Raab, Nowok & Dibben (2021), arXiv:2109.12717",
)
FREEMAN_TUKEY_MAX = replace(FREEMAN_TUKEY_MEDIAN, name="freeman_tukey_pair_max")
JENSEN_SHANNON_MEDIAN = replace(
    FREEMAN_TUKEY_MEDIAN,
    name="jensen_shannon_pair_median",
    maximum=1.0,
    null=NOT_GIVEN,
    reference="Lin (1991), IEEE Transactions on Information Theory 37, 145-151",
)
JENSEN_SHANNON_MAX = replace(JENSEN_SHANNON_MEDIAN, name="jensen_shannon_pair_max")
TOTAL_VARIATION_MEDIAN = replace(
    JENSEN_SHANNON_MEDIAN,
    name="total_variation_pair_median",
    reference="Raab, Nowok & Dibben (2021), arXiv:2109.12717",
)
TOTAL_VARIATION_MAX = replace(TOTAL_VARIATION_MEDIAN, name="total_variation_pair_max")
SUMMARIES = (
    (FREEMAN_TUKEY_MEDIAN, FREEMAN_TUKEY_MAX),
    (JENSEN_SHANNON_MEDIAN, JENSEN_SHANNON_MAX),
    (TOTAL_VARIATION_MEDIAN, TOTAL_VARIATION_MAX),
)
METRICS = tuple(metric for summary in SUMMARIES for metric in summary)


def measure_contingency(grouped: CellCounts) -> list[Measurement]:
    """Measure pairs of variables: all of up to 100 variables; see `chosen_pairs`.

    Parameters
    ----------
    grouped : CellCounts
        Cells of both tables.

    Returns
    -------
    list of Measurement
        Median and maximum of each comparison over the pairs, n = their number. The null of a median
        is the median of the nulls, that of a maximum the null of the pair where it lies. A single
        variable has no pair: its summaries are their null value, 1 or 0.
    """
    found = [_compare(grouped, i, j) for i, j in choose_pairs(len(grouped.names))]
    if not found:
        found = [((1.0, 1.0), (0.0, 0.0), (0.0, 0.0))]
    values, nulls = np.moveaxis(np.array(found), 2, 0)
    n = 0 if len(grouped.names) < 2 else len(found)

    def summarise() -> Iterable[tuple[Metric, float, float]]:
        for i, (median, largest) in enumerate(SUMMARIES):
            place = int(values[:, i].argmax())
            yield median, float(np.median(values[:, i])), float(np.median(nulls[:, i]))
            yield largest, values[place, i], nulls[place, i]

    return [
        metric.measure(value, set_number=grouped.set_number, null=null, n=n)
        for metric, value, null in summarise()
    ]


def _compare(grouped: CellCounts, i: int, j: int) -> tuple[tuple[float, float], ...]:
    """Return each comparison of a pair with its null."""
    d, s = grouped.two(i, j)
    k, inflation = int(s.sum()), grouped.inflation
    return (
        (freeman_tukey(d, s), inflation if np.count_nonzero(d + s) > 1 else 1.0),
        (jensen_shannon(d, s), (np.count_nonzero(d) - 1) * inflation / (8 * k * math.log(2))),
        (total_variation(d, s), expected_variation(d, k, inflation)),
    )


def freeman_tukey(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Compare counts by Freeman and Tukey, per degree of freedom; 1 for a single cell."""
    filled = real + synthetic > 0
    d, s = real[filled], synthetic[filled]
    if len(d) < 2:
        return 1.0
    expected = d * (s.sum() / d.sum())
    return float(4 * ((np.sqrt(s) - np.sqrt(expected)) ** 2).sum() / (len(d) - 1))


def jensen_shannon(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Compute the Jensen-Shannon divergence of shares in bits, in [0, 1]."""
    p, q = real / real.sum(), synthetic / synthetic.sum()
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return min(1.0, max(0.0, divergence))


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    filled = p > 0
    return float((p[filled] * np.log2(p[filled] / q[filled])).sum())
