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
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from synth_tasks.data import Kind, Schema, Variable
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
# How strong, and over how many rows.
Association = tuple[float, int]
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
    variables = list(pair.schema)

    def associate(i: int, j: int) -> list[Association]:
        first, second = variables[i], variables[j]
        return [
            _associate(table[:, i], table[:, j], first, second)
            for table in (pair.real, pair.synthetic)
        ]

    return compare_category_associations(pair.schema, associate, pair.set_number)


def compare_category_associations(
    schema: Schema, associate: Callable[[int, int], list[Association]], set_number: int
) -> list[Measurement]:
    """Compare associations, wherever they come from; see `measure_category_associations`.

    Parameters
    ----------
    schema : Schema
        The variables.
    associate : callable
        Takes two positions, returns the real and the synthetic association, each with the number of
        rows it rests on.
    set_number : int
        Number of the synthetic set.
    """
    measurements = []
    for i, j in nominal_pairs(schema):
        first, second = list(schema)[i], list(schema)[j]
        (real, n_real), (synthetic, n_synthetic) = associate(i, j)
        categorical = first.is_categorical and second.is_categorical
        measurements.append(
            (CRAMERS_V_DIFFERENCE if categorical else ETA_DIFFERENCE).measure(
                synthetic - real,
                target=f"{first.name}:{second.name}",
                set_number=set_number,
                n=min(n_real, n_synthetic),
            )
        )
    largest = CATEGORY_ASSOCIATION_MAX.measure(
        max((abs(m.value) for m in measurements), default=0.0),
        set_number=set_number,
        n=len(measurements),
    )
    return [*measurements, largest]


def nominal_pairs(schema: Schema) -> list[tuple[int, int]]:
    """Return the pairs of `choose_pairs` of which a variable is nominal."""
    nominal = [variable.kind is Kind.NOMINAL for variable in schema]
    return [(i, j) for i, j in choose_pairs(len(nominal)) if nominal[i] or nominal[j]]


def _associate(x: np.ndarray, y: np.ndarray, first: Variable, second: Variable) -> Association:
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
    # Of two variables with many categories nearly all cells are empty.
    cells, counts = np.unique(x * sizes[1] + y, return_counts=True)
    return cramers_v_of_cells(cells // sizes[1], cells % sizes[1], counts)


def cramers_v_of_cells(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> float:
    """Compute Cramér's V from the rows in cells.

    Parameters
    ----------
    x, y : ndarray of int of shape (n_cells,)
        Category codes of different cells.
    counts : ndarray of int of shape (n_cells,)
        Rows in each, more than none.
    """
    rows, columns = np.bincount(x, counts), np.bincount(y, counts)
    least = min(np.count_nonzero(rows), np.count_nonzero(columns)) - 1
    if least < 1:
        return 0.0
    # Cells that are empty add their expected count, which makes up n: sum of O² / E, less n.
    n = float(counts.sum())
    chi_square = float((counts**2 / (rows[x] * columns[y] / n)).sum()) - n
    return min(1.0, math.sqrt(max(0.0, chi_square) / (n * least)))


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
    return correlation_ratio_of_sums(
        np.bincount(codes), np.bincount(codes, centred), float(centred @ centred)
    )


def correlation_ratio_of_sums(counts: np.ndarray, sums: np.ndarray, squares: float) -> float:
    """Compute eta from the rows of each category, their sums, and the sum of squares of all.

    Parameters
    ----------
    counts, sums : ndarray of shape (n_categories,)
        Of numbers with mean 0.
    squares : float
        Of all of them, more than 0.
    """
    between = float((sums**2 / np.maximum(counts, 1)).sum())
    return min(1.0, math.sqrt(between / squares))
