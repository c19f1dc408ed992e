"""Predictive mean matching: a value observed for someone with a similar prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Kind
from synth_tasks.engine.design_matrix import Design
from synth_tasks.engine.linear import LinearModel, fit_linear
from synth_tasks.engine.registry import Context, method, require_whole
from synth_tasks.errors import PlanError


@dataclass(frozen=True)
class PmmOptions:
    """Options of pmm.

    Parameters
    ----------
    donors : int, default 5
        Size of the pool of nearest candidates.
    matchtype : {0, 1, 2}, default 1
        Whether targets (1) or targets and donors (2) are predicted with drawn coefficients; 0 draws
        none.
    """

    donors: int = 5
    matchtype: int = 1

    def __post_init__(self) -> None:
        require_whole("pmm.donors", self.donors, least=1)
        if self.matchtype not in (0, 1, 2):
            raise PlanError("method_options.pmm.matchtype must be 0, 1 or 2")


@dataclass(frozen=True)
class Pmm:
    """Donors and the model that says how near they are."""

    model: LinearModel
    donors: np.ndarray
    donor_x: np.ndarray
    options: PmmOptions

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw coefficients, then one of the nearest donors for each row."""
        estimated = self.model.coefficients
        drawn, _ = self.model.draw_parameters(rng)
        for_donors = drawn if self.options.matchtype == 2 else estimated
        for_targets = estimated if self.options.matchtype == 0 else drawn
        chosen = match(
            self.model.predict(self.donor_x, for_donors),
            self.model.predict(x, for_targets),
            self.options.donors,
            rng,
        )
        return self.donors[chosen]


@method("pmm", options=PmmOptions, draws_parameters=True, donors=True)
def fit_pmm(y: np.ndarray, x: np.ndarray, context: Context) -> Pmm:
    """Fit a linear model of the values, or of category scores for a nominal variable.

    References
    ----------
    Little (1988). Missing-data adjustments in large surveys. JBES 6, 287-296.
    van Buuren (2018). Flexible Imputation of Missing Data, 2nd ed., section 3.4.
    """
    outcome = canonical_scores(y, x, context) if context.target.kind is Kind.NOMINAL else y
    return Pmm(fit_linear(outcome, x, context), y, x, context.options)


def canonical_scores(y: np.ndarray, x: np.ndarray, context: Context) -> np.ndarray:
    """Score categories by the first canonical variate between the category dummies and `x`.

    Returns
    -------
    ndarray of shape (n_rows,)
        The score of each row's category; all zero if the predictors tell nothing.
    """
    codes = y.astype(int)
    counts = np.bincount(codes, minlength=len(context.target.categories))
    basis, _ = np.linalg.qr(Design.learn(x, context.predictors).matrix(x))
    if basis.shape[1] == 0:
        return np.zeros(len(y))
    sums = np.zeros((len(counts), basis.shape[1]))
    np.add.at(sums, codes, basis)
    weights = np.sqrt(np.maximum(counts, 1))
    left, _, _ = np.linalg.svd(sums / weights[:, None], full_matrices=False)
    scores = left[:, 0] / weights
    # The sign of a singular vector is arbitrary; fix it.
    scores *= np.sign(scores[np.argmax(np.abs(scores))]) or 1.0
    return scores[codes]


def match(
    donors: np.ndarray, targets: np.ndarray, n_nearest: int, rng: np.random.Generator
) -> np.ndarray:
    """Choose, for each target, one of its nearest donors at random.

    Ties are broken anew for every target: with many equally near donors each has the same chance.

    Parameters
    ----------
    donors : ndarray of shape (n_donors,)
        Predictions of the donors.
    targets : ndarray of shape (n_targets,)
        Predictions of the targets.
    n_nearest : int
        Size of the pool, at most `n_donors`.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_targets,)
        Positions in `donors`.
    """
    if np.isnan(donors).any() or np.isnan(targets).any():
        raise PlanError("predictive mean matching met a missing prediction: check the predictors")
    values, start, count = np.unique(np.sort(donors), return_index=True, return_counts=True)
    order = np.argsort(donors, kind="stable")
    rank = rng.integers(min(n_nearest, len(donors)), size=len(targets))
    within = rng.random(len(targets))
    # Rank h falls in the group of equally near donors in which the running count passes h; inside
    # that group every donor is equally likely. Walk outwards, one group of equal values at a time.
    right = np.searchsorted(values, targets)
    left = right - 1
    chosen = np.full(len(targets), -1)
    passed = np.zeros(len(targets), dtype=int)
    open_ = np.arange(len(targets))
    last = len(values) - 1
    while len(open_):
        lo, hi, t = left[open_], right[open_], targets[open_]
        gap_left = np.where(lo >= 0, t - values[np.maximum(lo, 0)], np.inf)
        gap_right = np.where(hi <= last, values[np.minimum(hi, last)] - t, np.inf)
        n_left = np.where(gap_left <= gap_right, count[np.maximum(lo, 0)], 0)
        n_right = np.where(gap_right <= gap_left, count[np.minimum(hi, last)], 0)
        hit = passed[open_] + n_left + n_right > rank[open_]
        pick = (within[open_] * (n_left + n_right)).astype(int)
        group_start = np.where(
            pick < n_left, start[np.maximum(lo, 0)], start[np.minimum(hi, last)] - n_left
        )
        chosen[open_[hit]] = order[(group_start + pick)[hit]]
        passed[open_] += n_left + n_right
        left[open_] -= n_left > 0
        right[open_] += n_right > 0
        open_ = open_[~hit]
    return chosen
