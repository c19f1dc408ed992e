"""Saturated model of categories with a prior: combinations never seen can be drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Kind
from synth_tasks.engine.methods.cells import CellDonors, count_levels, require_cells
from synth_tasks.engine.registry import TWO_LEVELS, Context, method
from synth_tasks.errors import PlanError

# No table is held. But with more cells than this nearly every combination has one row at most, and
# the draws would repeat real rows.
MAX_CELLS = 100_000_000


@dataclass(frozen=True)
class CatallOptions:
    """Options of catall.

    Parameters
    ----------
    prior : float, default 1
        Number of imaginary rows, spread evenly over all cells of predictors × target.
    """

    prior: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.prior, (int, float)) or not 0 < self.prior < math.inf:
            raise PlanError("method_options.catall.prior must be greater than 0")


@dataclass(frozen=True)
class Catall:
    """Observed categories by combination of the predictors, and the prior.

    Parameters
    ----------
    cells : CellDonors
        Observed categories.
    n_categories : int
        Number of categories of the target.
    prior : float
        Imaginary rows in each combination of the predictors.
    """

    cells: CellDonors
    n_categories: int
    prior: float

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw real and imaginary rows of the row's cell with equal chances."""
        position = self.cells.locate(x)[-1]
        donors = self.cells.donors[-1]
        n_real = np.where(position >= 0, donors.size[position], 0)
        real = rng.random(len(x)) * (n_real + self.prior) < n_real
        drawn = rng.integers(self.n_categories, size=len(x)).astype(float)
        drawn[real] = donors.draw(position[real], rng)
        return drawn


@method("catall", kinds=TWO_LEVELS | {Kind.NOMINAL, Kind.ORDINAL}, options=CatallOptions)
def fit_catall(y: np.ndarray, x: np.ndarray, context: Context) -> Catall:
    """Count the cells of predictors × target and add the prior to each.

    With n(x, y) training rows in a cell, C cells in the whole table and L categories of the target,
    P(y | x) = (n(x, y) + prior / C) / (n(x) + prior L / C). Applied to a group of variables one after
    the other, each given those before it, this is one draw from the table of all of them, smoothed
    by the same prior. Every category the schema declares can be drawn, also one that no row has. The
    parameters are not drawn.

    References
    ----------
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11).
    """
    require_cells("catall", context, MAX_CELLS)
    n_levels = count_levels("catall", context)
    prior = context.options.prior / math.prod(n_levels)
    cells = CellDonors.collect(y, x, n_levels)
    return Catall(cells, len(context.target.categories), prior)
