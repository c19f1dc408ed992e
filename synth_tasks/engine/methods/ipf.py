"""Log-linear model of categories, fitted by iterative proportional fitting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from synth_tasks.data import Kind
from synth_tasks.engine.categories import draw_categories
from synth_tasks.engine.methods.cells import count_levels, require_cells
from synth_tasks.engine.registry import TWO_LEVELS, Context, method, require_whole
from synth_tasks.errors import PlanError

MAX_CELLS = 1_000_000


@dataclass(frozen=True)
class IpfOptions:
    """Options of ipf.

    Parameters
    ----------
    order : int, default 2
        Number of variables in the margins that are kept: 2 keeps the margin of the target with each
        predictor, 3 with each pair of predictors, and so on.
    prior : float, default 1
        Number of imaginary rows, spread evenly over all cells of predictors × target.
    tol : float, default 1e-8
        Stops when no margin is off by more than this share of the rows.
    max_iter : int, default 1000
        Greatest number of rounds over all margins.
    """

    order: int = 2
    prior: float = 1.0
    tol: float = 1e-8
    max_iter: int = 1000

    def __post_init__(self) -> None:
        require_whole("ipf.order", self.order, least=2)
        for option in ("prior", "tol"):
            value = getattr(self, option)
            if not isinstance(value, (int, float)) or not 0 < value < math.inf:
                raise PlanError(f"method_options.ipf.{option} must be greater than 0")
        require_whole("ipf.max_iter", self.max_iter, least=1)


@dataclass(frozen=True)
class Ipf:
    """Fitted probabilities of the categories in each cell of the predictors.

    Parameters
    ----------
    strides : ndarray of shape (n_predictors,)
        What a step to the next category of each predictor adds to the number of the cell.
    probabilities : ndarray of shape (n_cells, n_categories)
        Each row sums to one.
    """

    strides: np.ndarray
    probabilities: np.ndarray

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a category for each row."""
        cell = x.astype(int) @ self.strides
        return draw_categories(self.probabilities[cell], rng).astype(float)


@method("ipf", kinds=TWO_LEVELS | {Kind.NOMINAL, Kind.ORDINAL}, options=IpfOptions)
def fit_ipf(y: np.ndarray, x: np.ndarray, context: Context) -> Ipf:
    """Fit the table of predictors × target to its margins.

    The table of the predictors is kept as it is, and so are the margins of the target with
    ``order - 1`` predictors; interactions of higher order are left out. Given the predictors, order 2
    is the multinomial logistic regression with main effects, order 3 the one with two-way
    interactions. Every category the schema declares can be drawn, also one that no row has. The
    parameters are not drawn.

    References
    ----------
    Deming & Stephan (1940). On a least squares adjustment of a sampled frequency table when the
    expected marginal totals are known. Annals of Mathematical Statistics 11, 427-444.
    Bishop, Fienberg & Holland (1975). Discrete Multivariate Analysis, chapter 3.
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11).
    """
    require_cells("ipf", context, MAX_CELLS)
    options: IpfOptions = context.options
    n_levels = count_levels("ipf", context)
    shape = (*n_levels, len(context.target.categories))
    strides = np.array([math.prod(n_levels[j + 1 :]) for j in range(len(n_levels))], dtype=int)
    cell = (x.astype(int) @ strides) * shape[-1] + y.astype(int)
    n_cells = math.prod(shape)
    table = np.bincount(cell, minlength=n_cells).reshape(shape) + options.prior / n_cells

    predictors, target = range(len(n_levels)), len(n_levels)
    n_kept = min(options.order - 1, len(n_levels))
    kept = [tuple(predictors), *((*c, target) for c in combinations(predictors, n_kept))]
    margins = [table.sum(axis=_others(axes, table.ndim), keepdims=True) for axes in kept]
    fitted, converged = fit_margins(np.ones(shape), margins, options.tol, options.max_iter)
    if not converged:
        context.log(f"ipf stopped after {options.max_iter} iterations")
    probabilities = fitted / fitted.sum(axis=-1, keepdims=True)
    return Ipf(strides, probabilities.reshape(-1, shape[-1]))


def fit_margins(
    start: np.ndarray, margins: Sequence[np.ndarray], tol: float, max_iter: int
) -> tuple[np.ndarray, bool]:
    """Scale a table to margins, one after the other, until all are met.

    The interactions that no margin holds stay as they are in `start`.

    Parameters
    ----------
    start : ndarray
        Positive table with one axis per variable.
    margins : sequence of ndarray
        Positive sums over some axes, which are kept with length one.
    tol : float
        Greatest deviation of a margin, as a share of its total.
    max_iter : int
        Greatest number of rounds over all margins.

    Returns
    -------
    fitted : ndarray
        Table of the shape of `start`.
    converged : bool
        Whether all margins are met.

    References
    ----------
    Deming & Stephan (1940). On a least squares adjustment of a sampled frequency table when the
    expected marginal totals are known. Annals of Mathematical Statistics 11, 427-444.
    """
    fitted = start
    summed = [
        tuple(a for a, n in enumerate(start.shape) if margin.shape[a] == 1 < n)
        for margin in margins
    ]
    for _ in range(max_iter):
        worst = 0.0
        for margin, axes in zip(margins, summed, strict=True):
            current = fitted.sum(axis=axes, keepdims=True)
            worst = max(worst, float(np.abs(margin - current).max() / margin.sum()))
            fitted = fitted * (margin / current)
        if worst <= tol:
            return fitted, True
    return fitted, False


def _others(axes: Sequence[int], n_axes: int) -> tuple[int, ...]:
    return tuple(a for a in range(n_axes) if a not in axes)
