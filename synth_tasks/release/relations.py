"""Finding columns that are computed from others: sums, products and ratios.

A variable that follows from others must be computed, not drawn, or the synthetic rows contradict
themselves. A relation is proposed only if it holds in every row where all its columns are known, up to
the decimals that the columns are written with.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Kind, Schema, Variable

LEAST_ROWS = 20
ROWS_AT_FIRST = 30
ROWS_SOLVED = 2000
MOST_COLUMNS = 40
LEAST_VALUES = 5
# With an error of at most a twentieth of the spread, twenty rows do not agree by chance.
LEAST_SPREAD = 20
FLOATING = 1e-9
# Powers of the two inputs: areas and amounts, shares and rates, body mass index.
POWERS = ((1, 1), (1, -2), (1, -1))


@dataclass(frozen=True)
class FoundRelation:
    """A column that follows from others.

    Parameters
    ----------
    target : str
        The column.
    inputs : tuple of str
        The columns it is computed from.
    formula : str
        As a specification has it, e.g. ``~ wgt / (hgt / 100)**2``.
    n_rows : int
        Number of rows in which it was seen to hold: all that have no hole there.
    """

    target: str
    inputs: tuple[str, ...]
    formula: str
    n_rows: int


def find_relations(matrix: np.ndarray, schema: Schema) -> list[FoundRelation]:
    """Find the columns that follow from others.

    Looked for are ``y = a + b`` and longer sums, ``y = a * b``, ``y = a / b`` and ``y = a / b**2``, the
    latter three up to a power of ten.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data; NaN where a value is missing.
    schema : Schema
        Its description; only the first 40 numeric columns are looked at.

    Returns
    -------
    list of FoundRelation
        One for each target, none in a circle.
    """
    numbers = [v for v in schema if _is_usable(v, matrix[:, schema.position(v.name)])]
    search = _Search(numbers[:MOST_COLUMNS], matrix, schema)
    search.add_sums_of_two()
    search.add_longer_sums()
    # What holds without regard to the rounding of the inputs shows which column was computed.
    likely = [product for powers in POWERS for product in search.likely_products(*powers)]
    for exact_inputs in (True, False):
        for product in likely:
            search.add_product(product, exact_inputs)
    return search.found


def quote_name(name: str) -> str:
    """Write a column name as a formula needs it: between backticks unless it is a word."""
    word = name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")
    return name if word else f"`{name}`"


def _is_usable(variable: Variable, values: np.ndarray) -> bool:
    numeric = variable.kind in (Kind.NUMERIC, Kind.INTEGER)
    return numeric and "`" not in variable.name and not bool(np.isnan(values).all())


@dataclass(frozen=True)
class _Product:
    """``target = 10**zeros * first**power_first * second**power_second``, columns by number."""

    target: int
    first: int
    second: int
    power_first: int
    power_second: int
    zeros: int


class _Search:
    """The columns, what was found so far, and what may still be added."""

    def __init__(self, numbers: list[Variable], matrix: np.ndarray, schema: Schema) -> None:
        self.numbers, self.found = numbers, list[FoundRelation]()
        self.columns = matrix[:, [schema.position(v.name) for v in numbers]].T
        n_rows = self.columns.shape[1]
        some = np.unique(np.linspace(0, n_rows - 1, ROWS_AT_FIRST).astype(int))
        self.some = self.columns[:, some]
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log10(np.abs(self.some))
        # The logarithm of a number of few digits says little.
        far = np.abs(self.some) > 2 * LEAST_SPREAD * np.array([[_rounding(v)] for v in numbers])
        self.logs = np.where(far, logs, np.nan) if numbers else logs

    def add_sums_of_two(self) -> None:
        roundings = np.array([_rounding(v) for v in self.numbers])
        for y, first in np.ndindex(len(self.numbers), len(self.numbers)):
            rest = np.abs(self.some[y] - self.some[first] - self.some)
            allowed = roundings[y] + roundings[first] + roundings + self._floating(y)
            for second in _all_hold(rest <= allowed[:, None], np.isnan(rest)):
                if len({y, first, int(second)}) == 3 and first < second:
                    self._try_sum(y, (first, int(second)))

    def add_longer_sums(self) -> None:
        """Find sums of three and more: least squares give them coefficients of exactly one."""
        for y in range(len(self.numbers)):
            derived = {relation.target for relation in self.found}
            others = [i for i, v in enumerate(self.numbers) if i != y and v.name not in derived]
            known = np.flatnonzero(~np.isnan(self.columns[[y, *others]]).any(axis=0))
            known = known[:ROWS_SOLVED]
            if len(others) < 3 or len(known) < LEAST_ROWS + len(others):
                continue
            x = self.columns[others][:, known].T
            scale = np.sqrt((x**2).sum(axis=0)) + FLOATING
            solved = np.linalg.lstsq(x / scale, self.columns[y, known], rcond=None)[0] / scale
            if np.isin(np.round(solved, 3), (0.0, 1.0)).all() and (solved > 0.5).sum() >= 3:
                self._try_sum(y, tuple(i for i, b in zip(others, solved, strict=True) if b > 0.5))

    def likely_products(self, power_a: int, power_b: int) -> Iterator[_Product]:
        """Find the products that hold in some rows, by their logarithms."""
        varied = [i for i, column in enumerate(self.columns) if _n_values(column) >= LEAST_VALUES]
        logs = self.logs[varied]
        for y, first in np.ndindex(len(varied), len(varied)):
            left = logs[y] - power_a * logs[first] - power_b * logs
            unknown = np.isnan(left)
            known = np.maximum((~unknown).sum(axis=1), 1)
            zeros = np.round(np.where(unknown, 0, left).sum(axis=1) / known)
            near = np.abs(left - zeros[:, None]) < 1 / LEAST_SPREAD
            for second in _all_hold(near, unknown):
                twice = power_a == power_b and second < first
                if len({y, first, int(second)}) == 3 and not twice:
                    a, b = varied[first], varied[second]
                    yield _Product(varied[y], a, b, power_a, power_b, int(zeros[second]))

    def _try_sum(self, y: int, parts: tuple[int, ...]) -> None:
        computed = self.columns[list(parts)].sum(axis=0)
        allowed = sum(_rounding(self.numbers[i]) for i in (y, *parts)) + self._floating(y)
        names = [quote_name(self.numbers[i].name) for i in parts]
        self._add(y, parts, computed, np.full(len(computed), allowed), f"~ {' + '.join(names)}")

    def add_product(self, product: _Product, exact_inputs: bool) -> None:
        a, b = self.numbers[product.first], self.numbers[product.second]
        x, z = self.columns[product.first], self.columns[product.second]
        power_a, power_b = product.power_first, product.power_second
        with np.errstate(divide="ignore", invalid="ignore"):
            computed = 10.0**product.zeros * x**power_a * z ** float(power_b)
            relative = np.full(len(x), FLOATING)
            if not exact_inputs:
                relative += np.abs(power_a * _rounding(a) / x) + np.abs(power_b * _rounding(b) / z)
            allowed = _unit(self.numbers[product.target]) + np.abs(computed) * relative
        text = _write_product(quote_name(a.name), quote_name(b.name), power_b, product.zeros)
        self._add(product.target, (product.first, product.second), computed, allowed, text)

    def _add(
        self, y: int, parts: tuple[int, ...], computed: np.ndarray, allowed: np.ndarray, text: str
    ) -> None:
        """Add a relation if it holds everywhere, is no coincidence and says something new."""
        own = self.columns[y]
        known = ~np.isnan(own) & ~np.isnan(self.columns[list(parts)]).any(axis=0)
        if known.sum() < LEAST_ROWS or not np.isfinite(computed[known]).all():
            return
        holds = np.abs(own[known] - computed[known]) <= allowed[known]
        telling = own[known].std() > LEAST_SPREAD * np.median(allowed[known])
        if holds.all() and telling and self._is_new(y, parts):
            names = tuple(self.numbers[i].name for i in parts)
            target = self.numbers[y].name
            self.found.append(FoundRelation(target, names, text, int(known.sum())))

    def _is_new(self, y: int, parts: tuple[int, ...]) -> bool:
        target, inputs = self.numbers[y].name, {self.numbers[i].name for i in parts}
        above: set[str] = set(inputs)
        for _ in self.found:
            above |= {n for r in self.found if r.target in above for n in r.inputs}
        again = any({r.target, *r.inputs} >= {target, *inputs} for r in self.found)
        return target not in above and not again and all(r.target != target for r in self.found)

    def _floating(self, y: int) -> float:
        return FLOATING * float(np.nanmax(np.abs(self.columns[y])))


def _all_hold(holds: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Return the rows in which everything that is known holds, and something is known."""
    return np.flatnonzero((holds | unknown).all(axis=1) & ~unknown.all(axis=1))


def _unit(variable: Variable) -> float:
    """Return the last decimal, within which rounding and cutting change a value; 0 if unlimited."""
    return 0.0 if variable.decimals is None else 10.0**-variable.decimals


def _rounding(variable: Variable) -> float:
    """Return how far rounding has moved a value at most; counts are exact."""
    return 0.0 if variable.kind is Kind.INTEGER else _unit(variable) / 2


def _n_values(column: np.ndarray) -> int:
    return len(np.unique(column[~np.isnan(column)]))


def _write_product(a: str, b: str, power: int, zeros: int) -> str:
    if power == -2 and zeros % 2 == 0:
        inner = b if zeros == 0 else f"({b} {'/' if zeros > 0 else '*'} {10 ** abs(zeros // 2)})"
        return f"~ {a} / {inner}**2"
    sign = {1: f"{a} * {b}", -1: f"{a} / {b}", -2: f"{a} / {b}**2"}[power]
    if zeros == 0:
        return f"~ {sign}"
    return f"~ {sign} {'*' if zeros > 0 else '/'} {10 ** abs(zeros)}"
