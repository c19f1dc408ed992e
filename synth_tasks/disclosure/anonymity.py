"""k-anonymity and l-diversity of the published table itself.

Rows with equal keys make a class. For a synthetic table:

    k_anonymity  size of its smallest class
    below_k      share of rows in classes of fewer than k rows
    l_diversity  least number of values of the target in a class
    below_l      share of rows in classes with fewer than l values of the target

Synthetic uniques are not people: these figures serve policies that are written for any table, and
say nothing of the real data. There is no null value. Missing counts as a value.

References
----------
Sweeney (2002). k-anonymity: a model for protecting privacy. International Journal of Uncertainty,
Fuzziness and Knowledge-Based Systems 10, 557-570.
Machanavajjhala, Kifer, Gehrke & Venkitasubramaniam (2007). l-diversity: privacy beyond k-anonymity.
ACM Transactions on Knowledge Discovery from Data 1, article 3 (distinct l-diversity).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from synth_tasks.disclosure.attribution import KeyedPair
from synth_tasks.disclosure.row_groups import select_columns
from synth_tasks.errors import DataError
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric

K = 3
L = 2

K_ANONYMITY = Metric(
    family="disclosure",
    name="k_anonymity",
    goal=Goal.INFORMATION,
    minimum=1.0,
    maximum=float("inf"),
    null=NOT_GIVEN,
    reference="Sweeney (2002)",
)
BELOW_K = replace(K_ANONYMITY, name="below_k", goal=Goal.LOW, minimum=0.0, maximum=1.0)
L_DIVERSITY = replace(K_ANONYMITY, name="l_diversity", reference="Machanavajjhala et al. (2007)")
BELOW_L = replace(BELOW_K, name="below_l", reference="Machanavajjhala et al. (2007)")
METRICS = (K_ANONYMITY, BELOW_K, L_DIVERSITY, BELOW_L)


def measure_anonymity(keyed: KeyedPair, k: int = K) -> list[Measurement]:
    """Measure the classes of the synthetic table.

    Parameters
    ----------
    keyed : KeyedPair
        The tables, grouped by their keys.
    k : int, default 3
        Least size of a class that a policy asks for.

    Returns
    -------
    list of Measurement
        ``k_anonymity`` and ``below_k``, n = synthetic rows.
    """
    if k < 1:
        raise DataError("k-anonymity asks for classes of k = 1 row or more")
    sizes = keyed.rows.synthetic_counts[keyed.rows.synthetic]
    return _both(keyed, K_ANONYMITY, BELOW_K, sizes, k, "")


def measure_diversity(keyed: KeyedPair, target: str, least: int = L) -> list[Measurement]:
    """Measure the values of a target within the classes of the synthetic table.

    Parameters
    ----------
    keyed : KeyedPair
        The tables, grouped by their keys.
    target : str
        What an intruder may want to learn.
    least : int, default 2
        Least number of values in a class that a policy asks for.

    Returns
    -------
    list of Measurement
        ``l_diversity`` and ``below_l``, n = synthetic rows.
    """
    if least < 1:
        raise DataError("l-diversity asks for classes of l = 1 value or more")
    _, synthetic = select_columns(keyed.pair, [target], keyed.groups)
    codes, levels = pd.factorize(synthetic[:, 0], use_na_sentinel=False)
    cells = np.unique(keyed.rows.synthetic * len(levels) + codes)
    values = np.bincount(cells // len(levels), minlength=len(keyed.rows.synthetic_counts))
    return _both(keyed, L_DIVERSITY, BELOW_L, values[keyed.rows.synthetic], least, target)


def _both(
    keyed: KeyedPair, smallest: Metric, below: Metric, by_row: np.ndarray, least: int, target: str
) -> list[Measurement]:
    return [
        metric.measure(
            float(value),
            target=target,
            keys="+".join(keyed.keys),
            set_number=keyed.pair.set_number,
            n=len(by_row),
        )
        for metric, value in ((smallest, by_row.min()), (below, (by_row < least).mean()))
    ]
