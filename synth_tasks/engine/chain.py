"""Imputation of missing cells by chained equations (fully conditional specification)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.fitting import (
    Log,
    bootstrap,
    draw_values,
    draws_parameters,
    fit_variable,
    training_rows,
)
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent, is_formula
from synth_tasks.seeding import generator

Step = Callable[[], None]


def nothing() -> None:
    """Report no progress."""


@dataclass(frozen=True)
class ChainResult:
    """One completed matrix and how the chain went.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data with every fillable cell filled.
    means, variances : ndarray of shape (maxit, n_incomplete)
        Mean and variance of the imputed values after each sweep, for ``plan.incomplete``.
    events : tuple of LoggedEvent
        Remarks of the methods.
    """

    matrix: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    events: tuple[LoggedEvent, ...]


def impute(
    plan: ImputationPlan,
    matrix: np.ndarray,
    seed: int,
    imputation: int,
    step: Step = nothing,
    start: np.ndarray | None = None,
    sweeps_done: int = 0,
) -> ChainResult:
    """Run one chain.

    Parameters
    ----------
    plan : ImputationPlan
        What to do.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data with NaN in the missing cells; not changed.
    seed : int
        Root seed.
    imputation : int
        Number of this imputation, 1..m.
    step : callable
        Called after each variable of each sweep, for progress.
    start : ndarray of shape (n_rows, n_variables), optional
        Where an earlier chain stopped; random draws from the observed values if not given.
    sweeps_done : int, default 0
        Sweeps of the earlier chain: going on gives the same bytes as one long chain.

    Returns
    -------
    ChainResult

    References
    ----------
    van Buuren & Groothuis-Oudshoorn (2011). mice: Multivariate Imputation by Chained Equations in R.
    Journal of Statistical Software 45(3).
    """
    work = _initialise(plan, matrix, seed, imputation) if start is None else start.copy(order="F")
    names = plan.incomplete
    means, variances = np.zeros((2, plan.maxit, len(names)))
    events: list[LoggedEvent] = []
    said: set[tuple[str, str]] = set()
    for number in range(plan.maxit):
        sweep = sweeps_done + number
        for i, name in enumerate(names):

            def log(event: str, name: str = name, sweep: int = sweep) -> None:
                # A remark that holds in every sweep is made once.
                if (name, event) not in said:
                    said.add((name, event))
                    events.append(LoggedEvent(name, event, imputation, sweep + 1))

            if not is_formula(plan.methods[name]):
                _redraw(plan, work, seed, (imputation, sweep, name), log)
                _update_passive(plan, work, plan.passive.affected_by(name))
            drawn = plan.column(work, name)[plan.column(plan.missing, name)]
            means[number, i] = drawn.mean()
            variances[number, i] = drawn.var(ddof=min(1, len(drawn) - 1))
            step()
    return ChainResult(work, means, variances, tuple(events))


def _redraw(
    plan: ImputationPlan, work: np.ndarray, seed: int, address: tuple[int, int, str], log: Log
) -> None:
    """Fit the method of a variable to its observed cells and draw the missing ones anew."""
    name = address[-1]
    cells = plan.column(plan.missing, name)
    rows = training_rows(plan, name, work, ~cells)
    if plan.proper and not draws_parameters(plan, name):
        rows = bootstrap(rows, generator(seed, "resampling", *address))
    fitted = fit_variable(plan, name, plan.predictors[name], work, rows, log)
    rng = generator(seed, "imputation", *address)
    plan.column(work, name)[cells] = draw_values(plan, fitted, work, work, cells, [rng])


def _initialise(plan: ImputationPlan, matrix: np.ndarray, seed: int, imputation: int) -> np.ndarray:
    """Fill the missing cells with random draws from the observed values."""
    work = matrix.copy(order="F")
    for name in plan.incomplete:
        if is_formula(plan.methods[name]):
            continue
        cells = plan.column(plan.missing, name)
        observed = plan.column(matrix, name)[~cells & ~plan.ignore]
        rng = generator(seed, "initial", imputation, name)
        plan.column(work, name)[cells] = rng.choice(observed, size=int(cells.sum()))
    _update_passive(plan, work, plan.passive.order)
    return work


def _update_passive(plan: ImputationPlan, work: np.ndarray, names: list[str]) -> None:
    """Recompute the missing cells of passive variables."""
    for name in names:
        cells = plan.column(plan.missing, name)
        if cells.any():
            plan.column(work, name)[cells] = plan.passive.compute(name, work, cells)
