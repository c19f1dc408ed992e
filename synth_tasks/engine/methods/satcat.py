"""Saturated model of categories: one observed for someone with the same categorical predictors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Kind
from synth_tasks.engine.methods.cells import CellDonors, count_levels
from synth_tasks.engine.registry import TWO_LEVELS, Context, method


@dataclass(frozen=True)
class Satcat:
    """Observed categories by combination of the predictors."""

    cells: CellDonors

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw from the row's cell; drop the last predictors until the cell has training rows."""
        positions = self.cells.locate(x)
        n_used = (positions >= 0).sum(axis=0) - 1
        drawn = np.empty(len(x))
        for n, donors in enumerate(self.cells.donors):
            rows = n_used == n
            drawn[rows] = donors.draw(positions[n, rows], rng)
        return drawn


@method("satcat", kinds=TWO_LEVELS | {Kind.NOMINAL, Kind.ORDINAL}, donors=True)
def fit_satcat(y: np.ndarray, x: np.ndarray, context: Context) -> Satcat:
    """Sort the observed categories by combination of the predictors, which must be categorical.

    A combination without training rows drops its last predictor, then the last but one, and so on
    until there are rows; without any predictor all rows are left. Predictors stand in the order in
    which they are drawn by a sequential synthesis, else in column order. With many predictors nearly
    every combination has one row, and synthetic rows repeat real ones.

    References
    ----------
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11).
    """
    n_levels = count_levels("satcat", context)
    cells = CellDonors.collect(y, x, n_levels)
    n_cells, n_known = math.prod(n_levels), len(cells.donors[-1].size)
    if n_known < n_cells:
        context.log(
            f"{n_cells - n_known} of {n_cells} combinations of the predictors have no rows: "
            "they draw without the last predictors"
        )
    return Satcat(cells)
