"""Columns that say the same: numbers on another scale, categories under other names.

Two such columns cannot be modelled beside each other, and drawn apart they would contradict each other.
R's mice drops one of them and leaves its holes. Here holes are filled from the other column where that
one is observed, and the later of the two is *derived*: computed from the earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.special import gammaln
from scipy.stats import rankdata

from synth_tasks.data import Schema, Variable
from synth_tasks.engine.parts import has_parts

LEAST_ROWS = 10
ROWS_AT_FIRST = 300
LEAST_VALUES = 3
LEAST_CORRELATION = 0.9999
NEGLIGIBLE = 1e-3
LEAST_LOG_ORDERS = np.log(1e9)


class Relation(Protocol):
    """A one-to-one relation, by which one column follows from another."""

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return the values of the derived column, an array of the shape of `values`."""
        ...


@dataclass(frozen=True)
class Linear:
    """``intercept + slope * x``, where the slope may be negative."""

    intercept: float
    slope: float

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Compute; see `Relation`."""
        return self.intercept + self.slope * values


@dataclass(frozen=True)
class Renamed:
    """Category ``codes[x]``; NaN for categories that were never seen together."""

    codes: np.ndarray

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Look up; see `Relation`."""
        return self.codes[values.astype(int)]


@dataclass(frozen=True)
class Twins:
    """Two columns that say the same."""

    first: str
    second: str
    second_from_first: Relation
    first_from_second: Relation

    def relation_to(self, name: str) -> Relation:
        """Return the relation by which the column of that name follows from the other."""
        return self.second_from_first if name == self.second else self.first_from_second


@dataclass(frozen=True)
class Derivation:
    """How a column is computed from another that says the same."""

    source: str
    relation: Relation

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready description; `from_dict` reads it back."""
        if isinstance(self.relation, Linear):
            return {"source": self.source, **asdict(self.relation)}
        assert isinstance(self.relation, Renamed)  # noqa: S101  (there are two kinds)
        codes = [None if np.isnan(code) else code for code in self.relation.codes.tolist()]
        return {"source": self.source, "codes": codes}

    @classmethod
    def from_dict(cls, item: Mapping[str, Any]) -> Derivation:
        """Rebuild a derivation from `to_dict`."""
        if "codes" in item:
            codes = np.array([np.nan if c is None else c for c in item["codes"]], dtype=float)
            return cls(item["source"], Renamed(codes))
        return cls(item["source"], Linear(item["intercept"], item["slope"]))


def find_relation(
    x: np.ndarray, y: np.ndarray, of_x: Variable, of_y: Variable, least_rows: int = LEAST_ROWS
) -> tuple[Relation, Relation] | None:
    """Tell how two columns follow from each other.

    Parameters
    ----------
    x, y : ndarray of shape (n_rows,)
        Encoded values; rows with a hole in either do not count.
    of_x, of_y : Variable
        Their description. Variables with spikes or missing values as data are left to their method.
    least_rows : int, default 10
        Fewer rows prove nothing.

    Returns
    -------
    tuple of Relation or None
        y from x and x from y, if the relation is one-to-one in both directions, up to the decimals
        given, and the columns have three different values or more (two for categories).
    """
    if has_parts(of_x) or has_parts(of_y) or of_x.is_categorical != of_y.is_categorical:
        return None
    both = ~np.isnan(x) & ~np.isnan(y)
    x, y = x[both], y[both]
    if len(x) < least_rows:
        return None
    if of_x.is_categorical:
        return _match_categories(x, y, of_x, of_y)
    if min(len(np.unique(x)), len(np.unique(y))) < min(LEAST_VALUES, least_rows):
        return None
    forward, backward = _match_numbers(x, y, of_y), _match_numbers(y, x, of_x)
    return (forward, backward) if forward and backward else None


def find_twins(matrix: np.ndarray, schema: Schema) -> list[Twins]:
    """Return all pairs of columns that say the same.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data, also with holes.
    schema : Schema
        Its description.

    Returns
    -------
    list of Twins
        In column order.
    """
    found: list[Twins] = []
    variables = list(schema)
    candidates = _candidates(matrix, variables)
    for j in range(len(variables)):
        for i in range(j):
            if candidates[i, j]:
                relation = find_relation(matrix[:, i], matrix[:, j], variables[i], variables[j])
                if relation:
                    found.append(Twins(variables[i].name, variables[j].name, *relation))
    return found


def _candidates(matrix: np.ndarray, variables: list[Variable]) -> np.ndarray:
    """Rule out most pairs by a look at a few rows, spread over the table.

    Returns
    -------
    ndarray of bool of shape (n_variables, n_variables)
        Only pairs of a column with a later one count.
    """
    rows = np.unique(np.linspace(0, len(matrix) - 1, ROWS_AT_FIRST).astype(int))
    head = matrix[rows]
    possible = np.zeros((len(variables), len(variables)), dtype=bool)
    numbers = [i for i, v in enumerate(variables) if not v.is_categorical]
    if len(numbers) > 1:
        # Too few rows to tell leave no correlation, and the pair in question.
        r = pd.DataFrame(head[:, numbers]).corr(min_periods=LEAST_ROWS).abs().to_numpy()
        possible[np.ix_(numbers, numbers)] = ~(r < 0.99)
    categories = [i for i, v in enumerate(variables) if v.is_categorical]
    for i, j in combinations(categories, 2):
        both = ~np.isnan(head[:, i]) & ~np.isnan(head[:, j])
        x, y = head[both, i], head[both, j]
        n_pairs = len(np.unique(x * len(variables[j].categories) + y))
        possible[i, j] = n_pairs == len(np.unique(x)) == len(np.unique(y))
    return possible


def _match_numbers(x: np.ndarray, y: np.ndarray, of_y: Variable) -> Linear | None:
    # Ranks too: a code far away, or one outlier, would make any two columns correlate.
    if abs(np.corrcoef(x, y)[0, 1]) < LEAST_CORRELATION or abs(_rank_correlation(x, y)) < 0.99:
        return None
    slope, intercept = np.polyfit(x - x.mean(), y, 1)
    relation = Linear(float(intercept - slope * x.mean()), float(slope))
    # Either column may be rounded: what is derived may be one unit of the last decimal apart.
    unit = 0.0 if of_y.decimals is None else 10.0**-of_y.decimals
    error = np.abs(of_y.round(relation.apply(x)) - y).max()
    middle = np.subtract(*np.quantile(y, [0.75, 0.25])) or np.ptp(y)
    return relation if error <= max(1.01 * unit, NEGLIGIBLE * middle) else None


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def _match_categories(
    x: np.ndarray, y: np.ndarray, of_x: Variable, of_y: Variable
) -> tuple[Renamed, Renamed] | None:
    table = np.zeros((len(of_x.categories), len(of_y.categories)), dtype=int)
    np.add.at(table, (x.astype(int), y.astype(int)), 1)
    seen = table > 0
    if (seen.sum(axis=0) > 1).any() or (seen.sum(axis=1) > 1).any() or seen.sum() < 2:
        return None
    # Among all orders of the rows, so few agree that chance is no explanation.
    log_orders = gammaln(len(x) + 1) - gammaln(table.sum(axis=1) + 1).sum()
    return (_lookup(seen), _lookup(seen.T)) if log_orders > LEAST_LOG_ORDERS else None


def _lookup(seen: np.ndarray) -> Renamed:
    return Renamed(np.where(seen.any(axis=1), seen.argmax(axis=1), np.nan).astype(float))
