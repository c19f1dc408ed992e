"""Predictive mean matching in which every donor has a chance that falls with its distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.design_matrix import Design
from synth_tasks.engine.linear import RIDGE
from synth_tasks.engine.registry import NUMBERS, Context, method
from synth_tasks.errors import PlanError

CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class MidastouchOptions:
    """Options of midastouch.

    Parameters
    ----------
    kappa : float, optional
        How fast the chance of a donor falls with its distance; by default larger for a model that
        explains more.
    """

    kappa: float | None = None

    def __post_init__(self) -> None:
        if self.kappa is not None and not self.kappa > 0:
            raise PlanError("method_options.midastouch.kappa must be greater than 0")


@dataclass(frozen=True)
class Midastouch:
    """Donors and their design; every draw weights them by its own bootstrap."""

    y: np.ndarray
    design: Design
    columns: np.ndarray
    kappa: float | None

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Weight the donors, fit, and draw one donor for each row."""
        n = len(self.y)
        weights = rng.multinomial(n, np.full(n, 1 / n)).astype(float)
        donors = np.flatnonzero(weights)
        left_out, explained = self._fit_without_each(weights)
        kappa = self.kappa or (50 * explained / (1 - explained)) ** (3 / 8)
        left_out = left_out[:, donors]
        own = np.einsum("ij,ji->i", self.columns[donors], left_out)
        targets = self.design.with_intercept(x)
        smallest = 1e-10 * (np.abs(own).max() + 1e-300)
        chosen = np.empty(len(x), dtype=int)
        step = max(1, CELLS_AT_ONCE // len(donors))
        for start in range(0, len(x), step):
            rows = slice(start, start + step)
            distance = np.abs(targets[rows] @ left_out - own)
            nearest = distance.min(axis=1, keepdims=True)
            # Relative to the nearest donor: powers of tiny distances would overflow.
            floor = np.maximum(nearest, smallest)
            chance = weights[donors] * (np.maximum(distance, floor) / floor) ** -kappa
            bounds = chance.cumsum(axis=1)
            u = rng.random(len(bounds))[:, None] * bounds[:, -1:]
            chosen[rows] = donors[(u >= bounds[:, :-1]).sum(axis=1)]
        return self.y[chosen]

    def _fit_without_each(self, weights: np.ndarray) -> tuple[np.ndarray, float]:
        """Fit by weighted least squares without each row in turn.

        Returns
        -------
        coefficients : ndarray of shape (n_columns, n_rows)
            Those without the row; a donor and its targets are compared by them.
        explained : float
            Share of the variance that the fit with all rows explains.
        """
        weighted = self.columns * weights[:, None]
        cross = weighted.T @ self.columns
        penalty = RIDGE * np.diag(cross).copy()
        penalty[0] = 0.0
        inverse = np.linalg.inv(cross + np.diag(penalty))
        beta = inverse @ (weighted.T @ self.y)
        fitted = self.columns @ beta
        leverage = weights * np.einsum("ij,jk,ik->i", self.columns, inverse, self.columns)
        leverage = np.minimum(leverage, 0.99)
        mean = np.average(self.y, weights=weights)
        total = weights @ (self.y - mean) ** 2
        residual = weights @ (self.y - fitted) ** 2
        explained = 1 - residual / total if total > 0 else 0.0
        change = weights * (self.y - fitted) / (1 - leverage)
        left_out = beta[:, None] - (inverse @ self.columns.T) * change
        return left_out, float(np.clip(explained, 1e-4, 0.9999))


@method("midastouch", kinds=NUMBERS, options=MidastouchOptions, draws_parameters=True, donors=True)
def fit_midastouch(y: np.ndarray, x: np.ndarray, context: Context) -> Midastouch:
    """Keep donors and design.

    References
    ----------
    Siddique & Belin (2008). Multiple imputation using an iterative hot-deck with distance-based donor
    selection. Statistics in Medicine 27, 83-102.
    Gaffert, Meinfelder & Bosch (2018). Towards an MI-proper predictive mean matching. Survey Research
    Methods 12, 91-105.
    """
    design = Design.learn(x, context.predictors, context.log)
    return Midastouch(y, design, design.with_intercept(x), context.options.kappa)
