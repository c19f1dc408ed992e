"""Summaries of tables in parts, from which the whole is measured without holding it.

There are two, for what is counted needs cells first:

`TableSketch`   of every variable: counts, moments, smallest and largest values, and for numbers a
                t-digest, from which quantiles are read; those of parts are merged
`TableCounts`   rows in the cells of all variables and of the pairs that are measured, and sums of
                products, also within categories; those of parts add up exactly

Cells are those of `grouping`, cut at the quantiles of the real table alone. A t-digest with compression
2000 (40 kilobytes) gives the share of values below a quantile to about 0.002; with the 200 that are
usual it is 0.02. The counts themselves are exact. Unlike other quantile sketches a t-digest draws no
random numbers: the same parts in the same order give the same bytes.

References
----------
Dunning & Ertl (2019). Computing extremely accurate quantiles using t-digests. arXiv:1902.04023.
Chan, Golub & LeVeque (1983). Algorithms for computing the sample variance. The American Statistician
37, 242-247.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from datasketches import tdigest_double

from synth_tasks.data import Kind, Schema
from synth_tasks.data.correlation import PairSums
from synth_tasks.ledger import Measurement
from synth_tasks.utility.associations import compare_correlations, correlate_sums
from synth_tasks.utility.category_associations import compare_category_associations
from synth_tasks.utility.chosen_pairs import choose_pairs
from synth_tasks.utility.contingency import measure_contingency
from synth_tasks.utility.counted_associations import associate_counted, sum_moments
from synth_tasks.utility.grouping import GROUPS, assign_cells, cuts_between
from synth_tasks.utility.marginals import measure_marginals
from synth_tasks.utility.missing import compare_missing
from synth_tasks.utility.pair_tables import PairTable
from synth_tasks.utility.pairs import measure_pairs
from synth_tasks.utility.quantiles import PROBABILITIES, in_deviations, report_quantiles

COMPRESSION = 2000


@dataclass(frozen=True)
class ColumnSketch:
    """What is kept of the numbers of a column.

    Parameters
    ----------
    n, n_missing : int
        Observed and missing values.
    mean, squares : float
        Mean, and sum of squared differences from it.
    few : ndarray
        The smallest different values, at most one more than there are groups.
    highest : float
        The largest value.
    digest : bytes
        t-digest; empty for categories.
    """

    n: int
    n_missing: int
    mean: float
    squares: float
    few: np.ndarray
    highest: float
    digest: bytes

    @property
    def deviation(self) -> float:
        """Standard deviation (of the values as a population)."""
        return math.sqrt(self.squares / self.n) if self.n else 0.0

    def merge(self, other: ColumnSketch) -> ColumnSketch:
        """Put two parts together; in one order of parts the result is always the same."""
        n = self.n + other.n
        gap = other.mean - self.mean
        digest = self.digest or other.digest
        if self.digest and other.digest:
            both = tdigest_double.deserialize(self.digest)
            both.merge(tdigest_double.deserialize(other.digest))
            digest = both.serialize()
        return ColumnSketch(
            n,
            self.n_missing + other.n_missing,
            self.mean + gap * other.n / n if n else 0.0,
            self.squares + other.squares + (gap**2 * self.n * other.n / n if n else 0.0),
            np.unique(np.concatenate([self.few, other.few]))[: GROUPS + 1],
            max(self.highest, other.highest),
            digest,
        )

    def quantiles(self, probabilities: Sequence[float]) -> np.ndarray:
        """Return quantiles of a column that has values."""
        digest = tdigest_double.deserialize(self.digest)
        return np.array([digest.get_quantile(p) for p in probabilities])


def _sketch_column(values: np.ndarray, is_number: bool) -> ColumnSketch:
    observed = values[~np.isnan(values)]
    n, n_missing = len(observed), int(len(values) - len(observed))
    if not n:
        return ColumnSketch(0, n_missing, 0.0, 0.0, np.empty(0), -math.inf, b"")
    mean, digest = float(observed.mean()), b""
    few = np.unique(observed)[: GROUPS + 1]
    if is_number:
        sketch = tdigest_double(COMPRESSION)
        sketch.update(observed)
        digest = sketch.serialize()
    squares = float(((observed - mean) ** 2).sum())
    return ColumnSketch(n, n_missing, mean, squares, few, float(observed.max()), digest)


@dataclass(frozen=True)
class TableSketch:
    """What is kept of every column.

    Parameters
    ----------
    columns : tuple of ColumnSketch
        In the order of the schema.
    n_rows : int
        Number of rows.
    """

    columns: tuple[ColumnSketch, ...]
    n_rows: int

    def merge(self, other: TableSketch) -> TableSketch:
        """Put two parts of a table together."""
        pairs = zip(self.columns, other.columns, strict=True)
        return TableSketch(tuple(a.merge(b) for a, b in pairs), self.n_rows + other.n_rows)

    @property
    def missing(self) -> np.ndarray:
        """Missing values of each column, an array of shape (p,)."""
        return np.array([column.n_missing for column in self.columns])


def sketch_table(matrix: np.ndarray, schema: Schema) -> TableSketch:
    """Sketch a part of a table.

    Parameters
    ----------
    matrix : ndarray of shape (n, p)
        Encoded; numbers are rounded to the resolution of their variable first.
    schema : Schema
        Its description.
    """
    columns = tuple(
        _sketch_column(v.round(matrix[:, i]), not v.is_categorical) for i, v in enumerate(schema)
    )
    return TableSketch(columns, len(matrix))


# --- cells ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Marks:
    """Where the cells of every variable begin, and how it is scaled.

    Parameters
    ----------
    cuts : tuple of ndarray
        See `grouping.cell_cuts`.
    centres, scales : ndarray of shape (p,)
        Mean and standard deviation (1 for a constant) of the real values.
    """

    cuts: tuple[np.ndarray, ...]
    centres: np.ndarray
    scales: np.ndarray


def make_marks(real: TableSketch, schema: Schema) -> Marks:
    """Cut every variable at the quantiles of the real table.

    Parameters
    ----------
    real : TableSketch
        Of all parts.
    schema : Schema
        The variables.
    """
    cuts = []
    for variable, column in zip(schema, real.columns, strict=True):
        if variable.is_categorical:
            cuts.append(np.arange(1.0, len(variable.categories)))
        elif len(column.few) <= GROUPS:
            cuts.append(column.few[1:])
        else:
            quantiles = column.quantiles([g / GROUPS for g in range(1, GROUPS)])
            cuts.append(cuts_between(quantiles, column.few[0], column.few[1], column.highest))
    return Marks(
        tuple(cuts),
        np.array([column.mean for column in real.columns]),
        np.array([column.deviation or 1.0 for column in real.columns]),
    )


@dataclass(frozen=True)
class TableCounts:
    """Rows in cells, and sums of products.

    Parameters
    ----------
    single : tuple of p ndarray
        Rows in the cells of each variable.
    pairs : tuple of PairTable
        Rows in the cells of each pair of `choose_pairs`.
    sums : PairSums
        Of the ordered variables.
    moments : tuple of ndarray
        Of numbers in categories, from `sum_moments`.
    """

    single: tuple[np.ndarray, ...]
    pairs: tuple[PairTable, ...]
    sums: PairSums
    moments: tuple[np.ndarray, ...]

    def __add__(self, other: TableCounts) -> TableCounts:
        return TableCounts(
            tuple(a + b for a, b in zip(self.single, other.single, strict=True)),
            tuple(a + b for a, b in zip(self.pairs, other.pairs, strict=True)),
            self.sums + other.sums,
            tuple(a + b for a, b in zip(self.moments, other.moments, strict=True)),
        )


def count_table(matrix: np.ndarray, schema: Schema, marks: Marks) -> TableCounts:
    """Count a part of a table.

    Parameters
    ----------
    matrix : ndarray of shape (n, p)
        Encoded.
    schema : Schema
        Its description.
    marks : Marks
        The same for all parts and both tables.
    """
    ordered = _ordered(schema)
    values = np.column_stack([v.round(matrix[:, i]) for i, v in enumerate(schema)])
    cells = [assign_cells(values[:, i], cuts) for i, cuts in enumerate(marks.cuts)]
    sizes = [len(cuts) + 2 for cuts in marks.cuts]
    single = [np.bincount(c, minlength=n) for c, n in zip(cells, sizes, strict=True)]
    pairs = [
        PairTable.count(cells[i] * sizes[j] + cells[j], sizes[i] * sizes[j])
        for i, j in choose_pairs(len(cells))
    ]
    scaled = (values - marks.centres) / marks.scales
    return TableCounts(
        tuple(single),
        tuple(pairs),
        PairSums.of_scaled(scaled[:, ordered]),
        sum_moments(values, scaled, schema),
    )


def _ordered(schema: Schema) -> list[int]:
    return [i for i, v in enumerate(schema) if v.kind not in (Kind.NOMINAL, Kind.STRING)]


@dataclass(frozen=True)
class CountedPair:
    """Counts of all rows of a real and a synthetic table; see `grouping.CellCounts`."""

    names: list[str]
    real: TableCounts
    synthetic: TableCounts
    n_rows: int
    set_number: int
    inflation: float = 1.0

    def one(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the counts of a variable."""
        return self.real.single[i], self.synthetic.single[i]

    def two(self, i: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the counts of a pair of `choose_pairs`."""
        place = self._places[i, j]
        return self.real.pairs[place].beside(self.synthetic.pairs[place])

    @cached_property
    def _places(self) -> dict[tuple[int, int], int]:
        return {pair: place for place, pair in enumerate(choose_pairs(len(self.names)))}


def assess_summaries(
    schema: Schema,
    real: tuple[TableSketch, TableCounts],
    synthetic: tuple[TableSketch, TableCounts],
    set_number: int,
) -> list[Measurement]:
    """Measure what a synthetic set keeps of the whole, from the summaries of its parts.

    Parameters
    ----------
    schema : Schema
        The variables.
    real, synthetic : tuple of TableSketch and TableCounts
        Of all parts.
    set_number : int
        Number of the set, 1..m.

    Returns
    -------
    list of Measurement
        As `assess_utility`, and the comparisons of quantiles, of pairs and of associations with nominal
        variables of `assess_general`, all over all rows.
    """
    n_rows = real[0].n_rows + synthetic[0].n_rows
    counted = CountedPair(schema.names, real[1], synthetic[1], n_rows, set_number)
    names = [schema.names[i] for i in _ordered(schema)]
    correlations = correlate_sums(real[1].sums), correlate_sums(synthetic[1].sums)
    rates = [(sketch.missing, sketch.n_rows) for sketch in (real[0], synthetic[0])]
    associations = [associate_counted(schema, t.pairs, t.moments) for t in (real[1], synthetic[1])]
    differences = {}
    for variable, a, b in zip(schema, real[0].columns, synthetic[0].columns, strict=True):
        if not variable.is_categorical and a.n and b.n:
            gap = b.quantiles(PROBABILITIES) - a.quantiles(PROBABILITIES)
            differences[variable.name] = in_deviations(gap, a.deviation or b.deviation), b.n
    return [
        *measure_marginals(counted),
        *measure_pairs(counted),
        *compare_correlations(names, *correlations, set_number),
        *compare_missing(schema.names, rates[0], rates[1], set_number),
        *compare_category_associations(
            schema, lambda i, j: [found[i, j] for found in associations], set_number
        ),
        *measure_contingency(counted),
        *report_quantiles(differences, set_number),
    ]
