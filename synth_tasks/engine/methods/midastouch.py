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
        beta, fitted, explained = self._fit(weights)
        kappa = self.kappa or (50 * explained / (1 - explained)) ** (3 / 8)
        predicted = self.design.with_intercept(x) @ beta
        donors = np.flatnonzero(weights)
        chosen = np.empty(len(x), dtype=int)
        step = max(1, CELLS_AT_ONCE // len(donors))
        for start in range(0, len(x), step):
            rows = slice(start, start + step)
            distance = np.abs(predicted[rows, None] - fitted[None, donors])
            nearest = distance.min(axis=1, keepdims=True)
            # Relative to the nearest donor: powers of tiny distances would overflow.
            floor = np.maximum(nearest, 1e-10 * (np.abs(fitted).max() + 1e-300))
            chance = weights[donors] * (np.maximum(distance, floor) / floor) ** -kappa
            bounds = chance.cumsum(axis=1)
            u = rng.random(len(bounds))[:, None] * bounds[:, -1:]
            chosen[rows] = donors[(u >= bounds[:, :-1]).sum(axis=1)]
        return self.y[chosen]

    def _fit(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Fit by weighted least squares; predict each donor without itself."""
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
        left_out = (fitted - leverage * self.y) / (1 - leverage)
        return beta, left_out, float(np.clip(explained, 1e-4, 0.9999))


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
