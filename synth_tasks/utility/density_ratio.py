"""Where a synthetic set is too dense or too sparse: the ratio of its density to that of both tables.

The ratio r is estimated by least squares (`ratio_fitting`) on standardised numbers and codes of ordinal
variables and indicators of nominal ones, with kernels centred on rows of both tables.

``density_ratio``        Pearson divergence E[(r - 1)²] / 2 over the rows of both tables, in [0, inf);
                         null value: its mean with permuted labels
``density_ratio_p``      permutation test: share of permutations, the observed labels among them, with
                         a divergence as great
``density_ratio_local``  for each variable, the largest mean of |r - 1| in one of its cells
                         (`grouping`), with the same null

Bandwidth and ridge are chosen anew for each permutation, so that the test is exact if real and
synthetic rows are samples from one population. Under a plug-in synthesis the tables are more alike than
that: the divergence is then rather below its null, and p nearer to 1.

References
----------
Kanamori, Hido & Sugiyama (2009). Journal of Machine Learning Research 10, 1391-1445.
Sugiyama, Suzuki, Itoh, Kanamori & Kimura (2011). Least-squares two-sample test. Neural Networks 24,
735-751 (permutation test).
Volker, de Wolf & van Kesteren (2024). A density ratio framework for evaluating the utility of synthetic
data. arXiv:2408.13167.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from synth_tasks.data import Kind
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.features import PooledRows, pool_rows
from synth_tasks.utility.grouping import group_pair
from synth_tasks.utility.pair import TablePair
from synth_tasks.utility.ratio_fitting import (
    KernelBasis,
    fit_excess,
    gaussian_kernels,
    pearson_divergence,
    squared_distances,
)

DENSITY_RATIO = Metric(
    family="utility",
    name="density_ratio",
    goal=Goal.NEAR_NULL,
    minimum=0.0,
    maximum=math.inf,
    null=NOT_GIVEN,
    reference="Kanamori, Hido & Sugiyama (2009), JMLR 10; Volker et al. (2024), arXiv:2408.13167",
)
DENSITY_RATIO_P = replace(
    DENSITY_RATIO,
    name="density_ratio_p",
    goal=Goal.INFORMATION,
    maximum=1.0,
    reference="Sugiyama et al. (2011), Neural Networks 24, 735-751",
)
DENSITY_RATIO_LOCAL = replace(DENSITY_RATIO, name="density_ratio_local")
METRICS = (DENSITY_RATIO, DENSITY_RATIO_P, DENSITY_RATIO_LOCAL)

CENTRES = 100
PERMUTATIONS = 99
# Bandwidths, in units of the median distance between centres.
BANDWIDTHS = (0.25, 0.5, 1.0)
RIDGES = (0.001, 0.01, 0.1)
# A mean over fewer rows is noise, and close to single people.
LEAST_ROWS = 10


@dataclass(frozen=True)
class Cells:
    """Which rows lie in which cell of which variable.

    Parameters
    ----------
    members : sparse array of shape (n_cells, n_rows)
        1 where a row lies in a cell.
    variable : ndarray of int of shape (n_cells,)
        Number of the variable a cell belongs to.
    number : ndarray of int of shape (n_cells,)
        Number of the cell within its variable.
    """

    members: sparse.csr_array
    variable: np.ndarray
    number: np.ndarray

    @classmethod
    def of(cls, pair: TablePair) -> Cells:
        """Group the rows of both tables, the real ones first."""
        grouped = group_pair(pair)
        cells = np.vstack([grouped.real, grouped.synthetic])
        offset = np.cumsum(grouped.sizes) - grouped.sizes
        n_rows, n_cells = len(cells), int(grouped.sizes.sum())
        rows = np.repeat(np.arange(n_rows), len(grouped.sizes))
        members = sparse.csr_array(
            (np.ones(cells.size), ((cells + offset).ravel(), rows)), shape=(n_cells, n_rows)
        )
        variable = np.repeat(np.arange(len(grouped.sizes)), grouped.sizes)
        return cls(members, variable, np.arange(n_cells) - offset[variable])

    @property
    def counts(self) -> np.ndarray:
        """Number of rows in each cell."""
        return np.asarray(self.members.sum(axis=1))

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Average columns over the rows of each cell; 0 in cells with fewer than `LEAST_ROWS`.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_columns)

        Returns
        -------
        ndarray of shape (n_cells, n_columns)
        """
        counts = self.counts[:, None]
        return np.where(counts >= LEAST_ROWS, self.members @ values / np.maximum(counts, 1), 0.0)

    def largest(self, means: np.ndarray, n_variables: int) -> np.ndarray:
        """Return the largest mean of each variable, an array of shape (n_variables, n_columns)."""
        largest = np.zeros((n_variables, means.shape[1]))
        np.maximum.at(largest, self.variable, means)
        return largest


def measure_density_ratio(
    pair: TablePair, rng: np.random.Generator, permutations: int = PERMUTATIONS
) -> list[Measurement]:
    """Measure a synthetic set.

    Parameters
    ----------
    pair : TablePair
        The tables, or a sample of their rows: time grows with their number.
    rng : Generator
        Chooses centres and permutes labels.
    permutations : int, default 99
        How many times labels are permuted.

    Returns
    -------
    list of Measurement
        ``density_ratio`` and ``density_ratio_p``; ``density_ratio_local``, target = variable; n = rows
        compared.
    """
    rows, cells = pool_rows(pair), Cells.of(pair)
    labels = np.column_stack(
        [rows.is_synthetic, *(rng.permutation(rows.is_synthetic) for _ in range(permutations))]
    )
    excess = fit_excess(_bases(rows, rng), labels, RIDGES)
    divergence = pearson_divergence(excess)
    local = cells.largest(cells.mean(np.abs(excess)), len(pair.schema))
    number, n = pair.set_number, pair.n_rows
    return [
        DENSITY_RATIO.measure(divergence[0], set_number=number, null=divergence[1:].mean(), n=n),
        DENSITY_RATIO_P.measure(
            float(np.mean(divergence >= divergence[0])), set_number=number, n=n
        ),
        *(
            DENSITY_RATIO_LOCAL.measure(
                values[0], target=name, set_number=number, null=values[1:].mean(), n=n
            )
            for name, values in zip(pair.schema.names, local, strict=True)
        ),
    ]


def map_density_ratio(pair: TablePair, rng: np.random.Generator) -> pd.DataFrame:
    """Show where the synthetic set is too dense or too sparse; for those who may see the real data.

    Parameters
    ----------
    pair : TablePair
        The tables, or a sample of their rows.
    rng : Generator
        Chooses centres.

    Returns
    -------
    DataFrame
        A row for each cell with 10 rows or more: ``variable``; ``cell``, a category, ``group 2 of 5``
        for quantile groups, or ``missing``; ``too_dense`` and ``too_sparse``, the means over its rows
        of the parts of r - 1 above and below 0. Largest first.
    """
    rows, cells = pool_rows(pair), Cells.of(pair)
    excess = fit_excess(_bases(rows, rng), rows.is_synthetic[:, None], RIDGES)
    # What a ratio cannot be is an error of the fit.
    excess = np.clip(excess, -1.0, 1 / rows.synthetic_share - 1)
    means = cells.mean(np.hstack([np.maximum(excess, 0.0), np.maximum(-excess, 0.0)]))
    shown = np.flatnonzero(cells.counts >= LEAST_ROWS)
    order = shown[np.argsort(-means[shown].max(axis=1), kind="stable")]
    return pd.DataFrame(
        {
            "variable": [pair.schema.names[v] for v in cells.variable[order]],
            "cell": [_label(pair, cells, cell) for cell in order],
            "too_dense": means[order, 0],
            "too_sparse": means[order, 1],
        }
    )


def _label(pair: TablePair, cells: Cells, cell: int) -> str:
    """Name a cell without a number of the data."""
    variable = pair.schema.variables[cells.variable[cell]]
    number, n_cells = cells.number[cell], np.count_nonzero(cells.variable == cells.variable[cell])
    if number == n_cells - 1:
        return "missing"
    if variable.is_categorical:
        return str(variable.categories[number])
    return f"group {number + 1} of {n_cells - 1}"


def _bases(rows: PooledRows, rng: np.random.Generator) -> list[KernelBasis]:
    """Return the kernels of every bandwidth."""
    points = _coordinates(rows)
    chosen = rng.choice(len(points), size=min(CENTRES, len(points)), replace=False)
    centres = points[np.sort(chosen)]
    between = squared_distances(centres, centres)[np.triu_indices(len(centres), k=1)]
    typical = math.sqrt(float(np.median(between))) or 1.0
    return [
        KernelBasis.of(gaussian_kernels(points, centres, share * typical)) for share in BANDWIDTHS
    ]


def _coordinates(rows: PooledRows) -> np.ndarray:
    """Return points in which two different categories are as far apart as two typical numbers."""
    columns = []
    for values, variable in zip(rows.x.T, rows.variables, strict=True):
        if variable.kind is Kind.NOMINAL:
            columns += [(values == code).astype(float) for code in np.unique(values)]
        else:
            deviation = float(values.std())
            columns.append((values - values.mean()) / (deviation if deviation > 0 else 1.0))
    return np.column_stack(columns)
