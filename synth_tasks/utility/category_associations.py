"""Associations with nominal variables, kept or lost.

Between two categorical variables Cramér's V, between a nominal and a numeric one the correlation ratio
eta: the square root of the share of variance that lies between categories. Both lie in [0, 1] and are
computed over rows in which both variables are observed; where one does not vary they are 0. Pairs of
variables with an order are left to `associations`. Chance makes V and eta greater in smaller tables:
with sets of another size than the real table a difference need not mean a loss.

References
----------
Cramér (1946). Mathematical Methods of Statistics, section 21.9.
Fisher (1925). Statistical Methods for Research Workers, section 45 (correlation ratio).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from synth_tasks.data import Kind, Variable
from synth_tasks.ledger import Goal, Measurement, Metric
from synth_tasks.utility.chosen_pairs import choose_pairs
from synth_tasks.utility.pair import TablePair

CRAMERS_V_DIFFERENCE = Metric(
    family="utility",
    name="cramers_v_difference",
    goal=Goal.NEAR_NULL,
    minimum=-1.0,
    maximum=1.0,
    null=0.0,
    reference="Cramér (1946), section 21.9",
)
ETA_DIFFERENCE = replace(
    CRAMERS_V_DIFFERENCE, name="eta_difference", reference="Fisher (1925), section 45"
)
CATEGORY_ASSOCIATION_MAX = replace(
    CRAMERS_V_DIFFERENCE,
    name="category_association_max",
    goal=Goal.LOW,
    minimum=0.0,
    reference="Cramér (1946); Fisher (1925)",
)
METRICS = (CRAMERS_V_DIFFERENCE, ETA_DIFFERENCE, CATEGORY_ASSOCIATION_MAX)


def measure_category_associations(pair: TablePair) -> list[Measurement]:
    """Measure pairs with a nominal variable: all of up to 100 variables; see `chosen_pairs`.

    Parameters
    ----------
    pair : TablePair
        The tables.

    Returns
    -------
    list of Measurement
        ``cramers_v_difference`` and ``eta_difference`` with target ``"age:reg"`` (column order),
        synthetic minus real, n = rows with both values in the table that has fewer of them;
        ``category_association_max``, the greatest absolute difference, n = number of pairs.
    """
    measurements = []
    variables = list(pair.schema)
    for i, j in choose_pairs(len(variables)):
        first, second = variables[i], variables[j]
        if Kind.NOMINAL not in (first.kind, second.kind):
            continue
        categorical = first.is_categorical and second.is_categorical
        (real, n_real), (synthetic, n_synthetic) = (
            _associate(table[:, i], table[:, j], first, second)
            for table in (pair.real, pair.synthetic)
        )
        measurements.append(
            (CRAMERS_V_DIFFERENCE if categorical else ETA_DIFFERENCE).measure(
                synthetic - real,
                target=f"{first.name}:{second.name}",
                set_number=pair.set_number,
                n=min(n_real, n_synthetic),
            )
        )
    largest = CATEGORY_ASSOCIATION_MAX.measure(
        max((abs(m.value) for m in measurements), default=0.0),
        set_number=pair.set_number,
        n=len(measurements),
    )
    return [*measurements, largest]


def _associate(
    x: np.ndarray, y: np.ndarray, first: Variable, second: Variable
) -> tuple[float, int]:
    """Return the association over complete rows, and their number."""
    complete = ~(np.isnan(x) | np.isnan(y))
    x, y = x[complete], y[complete]
    if first.is_categorical and second.is_categorical:
        sizes = len(first.categories), len(second.categories)
        return cramers_v(x.astype(np.int64), y.astype(np.int64), sizes), len(x)
    codes, values = (x, y) if first.is_categorical else (y, x)
    return correlation_ratio(codes.astype(np.int64), values), len(x)


def cramers_v(x: np.ndarray, y: np.ndarray, sizes: tuple[int, int]) -> float:
    """Compute Cramér's V.

    Parameters
    ----------
    x, y : ndarray of int of shape (n,)
        Category codes.
    sizes : tuple of int
        Number of categories of each; those that do not occur count for nothing.
    """
    rows, columns = np.bincount(x), np.bincount(y)
    least = min(np.count_nonzero(rows), np.count_nonzero(columns)) - 1
    if least < 1:
        return 0.0
    # Cells that are empty add their expected count, which makes up n: sum of O² / E, less n.
    cells, counts = np.unique(x * sizes[1] + y, return_counts=True)
    expected = rows[cells // sizes[1]] * columns[cells % sizes[1]] / len(x)
    chi_square = float((counts**2 / expected).sum()) - len(x)
    return min(1.0, math.sqrt(max(0.0, chi_square) / (len(x) * least)))


def correlation_ratio(codes: np.ndarray, values: np.ndarray) -> float:
    """Compute eta.

    Parameters
    ----------
    codes : ndarray of int of shape (n,)
        Category codes.
    values : ndarray of float of shape (n,)
        Numbers, none missing.
    """
    if not len(values) or values.min() == values.max():
        return 0.0
    centred = values - values.mean()
    counts = np.bincount(codes)
    sums = np.bincount(codes, centred)
    between = float((sums**2 / np.maximum(counts, 1)).sum())
    return min(1.0, math.sqrt(between / float(centred @ centred)))
