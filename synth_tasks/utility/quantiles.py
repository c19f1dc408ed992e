"""Quantiles of numbers, kept or shifted.

For the quantiles at 0.05, 0.1, 0.25, 0.5, 0.75, 0.9 and 0.95 the synthetic value minus the real one, in
units of the real standard deviation (of the synthetic one, if real values do not vary). Quantiles of
type 7 (Hyndman & Fan 1996), the default of R, over observed values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from synth_tasks.ledger import Goal, Measurement, Metric
from synth_tasks.utility.pair import TablePair

QUANTILE_DIFFERENCE = Metric(
    family="utility",
    name="quantile_difference",
    goal=Goal.NEAR_NULL,
    minimum=-math.inf,
    maximum=math.inf,
    null=0.0,
    reference="Hyndman & Fan (1996), The American Statistician 50, 361-365",
)
QUANTILE_DIFFERENCE_MAX = replace(
    QUANTILE_DIFFERENCE, name="quantile_difference_max", goal=Goal.LOW, minimum=0.0
)
METRICS = (QUANTILE_DIFFERENCE, QUANTILE_DIFFERENCE_MAX)

PROBABILITIES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def measure_quantiles(pair: TablePair) -> list[Measurement]:
    """Measure each numeric variable that is observed in both tables.

    Parameters
    ----------
    pair : TablePair
        The tables.

    Returns
    -------
    list of Measurement
        ``quantile_difference``, target = variable, the one of its differences that is greatest in
        absolute value, n = observed synthetic values; ``quantile_difference_max``, the greatest
        absolute difference of all, n = number of variables (0 without any).
    """
    differences = {}
    for i, variable in enumerate(pair.schema):
        real, synthetic = (
            table[~np.isnan(table[:, i]), i] for table in (pair.real, pair.synthetic)
        )
        if not variable.is_categorical and len(real) and len(synthetic):
            differences[variable.name] = quantile_differences(real, synthetic), len(synthetic)
    return report_quantiles(differences, pair.set_number)


def report_quantiles(
    differences: Mapping[str, tuple[np.ndarray, int]], set_number: int
) -> list[Measurement]:
    """Report differences at `PROBABILITIES` that were computed before; see `measure_quantiles`.

    Parameters
    ----------
    differences : mapping of str to tuple of ndarray and int
        For each variable in units of its standard deviation, and the number of synthetic values.
    set_number : int
        Number of the synthetic set.
    """
    measurements = [
        QUANTILE_DIFFERENCE.measure(
            found[np.abs(found).argmax()], target=name, set_number=set_number, n=n
        )
        for name, (found, n) in differences.items()
    ]
    largest = QUANTILE_DIFFERENCE_MAX.measure(
        max((abs(m.value) for m in measurements), default=0.0),
        set_number=set_number,
        n=len(measurements),
    )
    return [*measurements, largest]


def quantile_differences(real: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Return the differences at `PROBABILITIES`; both arrays have values and no missing ones."""
    difference = np.quantile(synthetic, PROBABILITIES) - np.quantile(real, PROBABILITIES)
    return in_deviations(difference, float(np.std(real)) or float(np.std(synthetic)))


def in_deviations(difference: np.ndarray, scale: float) -> np.ndarray:
    """Return differences of quantiles in units of a standard deviation."""
    # Two constants have no scale: any difference is one.
    return difference / scale if scale > 0 else np.sign(difference)
