"""Imputation of missing cells by chained equations (fully conditional specification)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.fitting import bootstrap, draw_values, fit_variable, select
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent, is_formula
from synth_tasks.engine.registry import find_method
from synth_tasks.seeding import generator

Step = Callable[[], None]


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
    plan: ImputationPlan, matrix: np.ndarray, seed: int, imputation: int, step: Step
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

    Returns
    -------
    ChainResult

    References
    ----------
    van Buuren & Groothuis-Oudshoorn (2011). mice: Multivariate Imputation by Chained Equations in R.
    Journal of Statistical Software 45(3).
    """
    work = _initialise(plan, matrix, seed, imputation)
    names = plan.incomplete
    means, variances = np.zeros((2, plan.maxit, len(names)))
    events: list[LoggedEvent] = []
    for sweep in range(plan.maxit):
        for i, name in enumerate(names):
            cells = plan.column(plan.missing, name)
            if not is_formula(plan.methods[name]):

                def log(event: str, name: str = name, sweep: int = sweep) -> None:
                    events.append(LoggedEvent(name, event, imputation, sweep + 1))

                predictors = plan.predictors[name]
                address = (imputation, sweep, name)
                training = ~cells & ~plan.ignore
                if plan.proper and not find_method(plan.methods[name]).draws_parameters:
                    training = bootstrap(training, generator(seed, "resampling", *address))
                fitted = fit_variable(plan, name, predictors, work, training, log)
                rng = generator(seed, "imputation", *address)
                x = select(plan, predictors, work, cells)
                values = draw_values(plan, name, fitted, x, work, cells, rng)
                plan.column(work, name)[cells] = values
                _update_passive(plan, work, plan.passive.affected_by(name))
            drawn = plan.column(work, name)[cells]
            means[sweep, i], variances[sweep, i] = (
                drawn.mean(),
                drawn.var(ddof=min(1, len(drawn) - 1)),
            )
            step()
    return ChainResult(work, means, variances, tuple(events))


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
