"""Rates of missing values, kept or changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synth_tasks.ledger import Goal, Measurement, Metric
from synth_tasks.utility.at_once import AtOnce
from synth_tasks.utility.intervals import CONFIDENCE, difference_of_shares
from synth_tasks.utility.pair import TablePair

MISSING_RATE_DIFFERENCE = Metric(
    family="utility",
    name="missing_rate_difference",
    goal=Goal.NEAR_NULL,
    minimum=-1.0,
    maximum=1.0,
    null=0.0,
    reference="interval: Newcombe (1998), Statistics in Medicine 17, 873-890",
)
MISSING_RATE_DIFFERENCE_MAX = replace(
    MISSING_RATE_DIFFERENCE, name="missing_rate_difference_max", goal=Goal.LOW, minimum=0.0
)
METRICS = (MISSING_RATE_DIFFERENCE, MISSING_RATE_DIFFERENCE_MAX)


def measure_missing(pair: TablePair, at_once: AtOnce | None = None) -> list[Measurement]:
    """Measure each variable.

    Parameters
    ----------
    pair : TablePair
        The tables.
    at_once : AtOnce, optional
        The family of tables that are judged at once, for which all intervals hold together.

    Returns
    -------
    list of Measurement
        ``missing_rate_difference``, target = variable, share of missing values in the synthetic
        table minus that in the real one, n = synthetic rows; ``missing_rate_difference_max``, the
        largest absolute difference, with the largest bounds of the intervals, n = number of variables.
    """
    real = np.isnan(pair.real).sum(axis=0), len(pair.real)
    synthetic = np.isnan(pair.synthetic).sum(axis=0), len(pair.synthetic)
    confidence = CONFIDENCE if at_once is None else at_once.confidence(len(pair.schema))
    return compare_missing(pair.schema.names, real, synthetic, pair.set_number, confidence)


def compare_missing(
    names: Sequence[str],
    in_real: tuple[np.ndarray, int],
    in_synthetic: tuple[np.ndarray, int],
    set_number: int,
    confidence: float = CONFIDENCE,
) -> list[Measurement]:
    """Compare rates that were counted before; see `measure_missing`.

    Parameters
    ----------
    names : sequence of p str
        The variables.
    in_real, in_synthetic : tuple of ndarray of shape (p,) and int
        Missing values, and rows.
    set_number : int
        Number of the synthetic set.
    confidence : float, default 0.95
        Level of the intervals.
    """
    (real, n), (synthetic, k) = in_real, in_synthetic
    difference = synthetic / k - real / n
    intervals = [
        difference_of_shares(int(s), k, int(r), n, confidence)
        for s, r in zip(synthetic, real, strict=True)
    ]
    measurements = [
        MISSING_RATE_DIFFERENCE.measure(
            difference[i], target=name, set_number=set_number, interval=intervals[i], n=k
        )
        for i, name in enumerate(names)
    ]
    largest = MISSING_RATE_DIFFERENCE_MAX.measure(
        np.abs(difference).max(),
        set_number=set_number,
        interval=(
            max(max(0.0, lower, -upper) for lower, upper in intervals),
            max(max(abs(lower), abs(upper)) for lower, upper in intervals),
        ),
        n=len(names),
    )
    return [*measurements, largest]
