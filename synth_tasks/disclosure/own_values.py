"""Synthetic cells that repeat the value of their own source row.

``own_value``         share of cells of a variable that equal the cell of real row i. In [0, 1].
                      The null value is the share expected if rows were paired at random, the sum
                      over values v of p_real(v) p_synthetic(v), computed exactly.
``own_value_excess``  ``own_value`` minus its null value. In [-1, 1], null value 0.

Missing counts as a value. The same limits as for `linkage` hold: rows in the order of their source.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from synth_tasks.disclosure.linkage import check_linkable
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.intervals import mean_interval, wilson
from synth_tasks.utility.pair import TablePair

OWN_VALUE = Metric(
    family="disclosure",
    name="own_value",
    goal=Goal.LOW,
    minimum=0.0,
    maximum=1.0,
    null=NOT_GIVEN,
    reference="synth_tasks.disclosure.own_values; interval: Wilson (1927)",
)
OWN_VALUE_EXCESS = replace(OWN_VALUE, name="own_value_excess", minimum=-1.0, null=0.0)
METRICS = (OWN_VALUE, OWN_VALUE_EXCESS)


def measure_own_values(pair: TablePair) -> list[Measurement]:
    """Measure each variable, and their mean.

    Parameters
    ----------
    pair : TablePair
        Tables in equal row order.

    Returns
    -------
    list of Measurement
        ``own_value`` and ``own_value_excess``; target = variable, empty for the mean over
        variables; n = rows. The interval of the excess takes the expected share as known.
    """
    check_linkable(pair)
    n, p = pair.synthetic.shape
    source = pair.real[:n]
    both_missing = np.isnan(source) & np.isnan(pair.synthetic)
    equal = (source == pair.synthetic) | both_missing
    expected = np.array([_expected_share(pair.real[:, i], pair.synthetic[:, i]) for i in range(p)])
    targets = [*pair.schema.names, ""]
    shares = [*equal.mean(axis=0), equal.mean()]
    intervals = [wilson(int(count), n) for count in equal.sum(axis=0)]
    # The cells of one row are dependent, so rows are counted, not cells.
    intervals.append(mean_interval(equal.mean(axis=1)))
    nulls = [*expected, expected.mean()]
    return [
        measurement
        for target, share, (lower, upper), null in zip(
            targets, shares, intervals, nulls, strict=True
        )
        for measurement in (
            OWN_VALUE.measure(
                share,
                target=target,
                set_number=pair.set_number,
                interval=(lower, upper),
                null=null,
                n=n,
            ),
            OWN_VALUE_EXCESS.measure(
                share - null,
                target=target,
                set_number=pair.set_number,
                interval=(lower - null, upper - null),
                n=n,
            ),
        )
    ]


def _expected_share(real: np.ndarray, synthetic: np.ndarray) -> float:
    codes, levels = pd.factorize(np.concatenate([real, synthetic]), use_na_sentinel=False)
    n, size = len(real), len(levels)
    in_real = np.bincount(codes[:n], minlength=size) / n
    in_synthetic = np.bincount(codes[n:], minlength=size) / len(synthetic)
    return float(in_real @ in_synthetic)
