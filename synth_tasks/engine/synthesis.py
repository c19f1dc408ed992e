"""Synthesis: replacing real cells with draws from models of the real data."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from synth_tasks.engine.fitting import (
    draws_parameters,
)
from synth_tasks.engine.levels import lost_levels
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent
from synth_tasks.engine.strata import divide
from synth_tasks.engine.synthesizer import (
    AnySynthesizer,
    StratifiedSynthesizer,
    SynthesisStep,
    Synthesizer,
    fit_step,
    learnable_rows,
    without_cells,
)
from synth_tasks.engine.tree import SortedColumns
from synth_tasks.engine.workers import map_in_threads
from synth_tasks.errors import PlanError


def fit_synthesizer(
    plan: ImputationPlan,
    matrix: np.ndarray,
    workers: int = 1,
    step: Callable[[], None] = lambda: None,
    imputed: np.ndarray | None = None,
    only_observed: bool = False,
) -> AnySynthesizer:
    """Fit the models of all variables to be replaced.

    Models are fitted on real values. With ``conditioning="synthetic"`` a variable is predicted from
    those visited before it (already synthetic when it is drawn) and from those that are not replaced;
    the first variable is drawn from its margin. With ``"observed"`` every allowed predictor is used,
    and cells are drawn given the real values of their row, as R's mice does.

    Parameters
    ----------
    plan : ImputationPlan
        What to do.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded real data without missing values in the variables used.
    workers : int, default 1
        Threads; the result does not depend on it.
    step : callable
        Called after each fit (of the last stratum), for progress.
    imputed : ndarray of bool of shape (n_rows, n_variables), optional
        Cells that an imputation has filled in; those missing by the plan if not given. They may
        repeat the value of a single person, and count for nobody where smoothing and tails ask how
        many share a value.
    only_observed : bool, default False
        Learn each variable from the rows alone in which it was not imputed. `make_portable` counts the
        rows of groups, and needs each of them to be another person's value.

    Returns
    -------
    Synthesizer, or StratifiedSynthesizer if the plan has strata

    References
    ----------
    Reiter (2005). Using CART to generate partially synthetic public use microdata. Journal of Official
    Statistics 21, 441-462.
    Raab, Nowok & Dibben (2016). Practical data synthesis for large samples. Journal of Privacy and
    Confidentiality 7(3), 67-97.
    """
    plan, events = _settle_methods(plan)
    events += _unlearnable_levels(plan, matrix)
    events += _contradictions(plan, matrix)
    imputed = plan.missing if imputed is None else imputed
    if not plan.strata:
        fitted = _fit_all(plan, matrix, workers, step, imputed, only_observed)
        return replace(fitted, events=(*events, *fitted.events))
    strata, merged = divide(
        matrix, plan.schema, plan.strata, plan.min_stratum_size, learnable=~plan.ignore
    )
    synthesizers = []
    for number in range(strata.count):
        rows = strata.rows(number)
        is_last = number == strata.count - 1
        fitted = _fit_all(
            plan.of_whole_rows(rows),
            matrix[rows],
            workers,
            step if is_last else lambda: None,
            imputed[rows],
            only_observed,
        )
        synthesizers.append(fitted)
        events += [replace(e, event=f"stratum {number + 1}: {e.event}") for e in fitted.events]
    events += [LoggedEvent(", ".join(plan.strata), event) for event in merged]
    kept = without_cells(matrix, plan.replaced)
    return StratifiedSynthesizer(plan, kept, strata, tuple(synthesizers), tuple(events))


def _settle_methods(plan: ImputationPlan) -> tuple[ImputationPlan, list[LoggedEvent]]:
    """Replace the methods of variables that have no predictor when they are drawn."""
    methods = plan.effective_methods()
    changed = [name for name in plan.drawn if methods[name] != plan.methods[name]]
    own_options = {n: o for n, o in plan.variable_options.items() if n not in changed}
    events = [LoggedEvent(name, "has no predictor yet: drawn from its margin") for name in changed]
    return replace(plan, methods=methods, variable_options=own_options), events


def _fit_all(
    plan: ImputationPlan,
    matrix: np.ndarray,
    workers: int,
    step: Callable[[], None],
    imputed: np.ndarray,
    only_observed: bool,
) -> Synthesizer:
    sequential = plan.conditioning == "synthetic"
    predictors = plan.sequential_predictors if sequential else dict(plan.predictors)
    names = plan.drawn
    sorted_columns = SortedColumns(matrix, plan.schema.variables)
    events: dict[str, list[LoggedEvent]] = {name: [] for name in names}

    def fit(name: str) -> SynthesisStep:
        def log(event: str) -> None:
            events[name].append(LoggedEvent(name, event))

        fitted = None
        if not plan.proper or draws_parameters(plan, name):
            rows = learnable_rows(plan, name, matrix)
            if only_observed:
                rows = _observed_rows(plan, name, rows, imputed)
            fitted = fit_step(
                plan, name, predictors[name], matrix, rows, sorted_columns, log, imputed
            )
        step()
        return SynthesisStep(name, predictors[name], fitted)

    # The last variables have the most predictors: begun first, none is left to be waited for.
    steps = tuple(map_in_threads(fit, names[::-1], workers)[::-1])
    needs_all = plan.conditioning == "observed" or any(s.fitted is None for s in steps)
    kept = matrix if needs_all else without_cells(matrix, plan.replaced)
    remarks = tuple(e for name in names for e in events[name])
    return Synthesizer(plan, kept, steps, remarks, imputed if needs_all else None)


def _observed_rows(
    plan: ImputationPlan, name: str, rows: np.ndarray, imputed: np.ndarray
) -> np.ndarray:
    """Leave out the rows in which a variable was imputed."""
    left = rows & ~plan.column(imputed, name)
    if not left.any():
        raise PlanError(
            f"'{name}' was imputed in all rows that it is learnt from, so that nobody's value stands "
            "behind a model without donors: drop the variable, or merge strata"
        )
    return left


def _contradictions(plan: ImputationPlan, matrix: np.ndarray) -> list[LoggedEvent]:
    """Say where the data do not bear out what was stated: rules and spikes."""
    events = []
    everywhere = np.ones(plan.n_rows, dtype=bool)
    for name in plan.drawn:
        values = plan.column(matrix, name)
        if name in plan.rules:
            restricted, known = plan.ruled.restrict(name, matrix, everywhere)
            equal = (values == known) | (np.isnan(values) & np.isnan(known))
            n_against = int((restricted & ~equal).sum())
            if n_against:
                event = f"{n_against} rows of the data contradict its rules"
                events.append(LoggedEvent(name, event))
        n_absent = sum(not (values == spike).any() for spike in plan.schema[name].spikes)
        if n_absent:
            events.append(LoggedEvent(name, f"{n_absent} of its spikes occur nowhere in the data"))
    return events


def _unlearnable_levels(plan: ImputationPlan, matrix: np.ndarray) -> list[LoggedEvent]:
    """Say which categories of the data can never be drawn, because no training row has them."""
    events = []
    for name in plan.drawn:
        if plan.schema[name].is_categorical:
            values = plan.column(matrix, name)
            n_lost = lost_levels(values, values[learnable_rows(plan, name, matrix)])
            if n_lost and name not in plan.rules:
                event = f"{n_lost} of its categories occur in no training row: they cannot be drawn"
                events.append(LoggedEvent(name, event))
                warnings.warn(f"'{name}': {event}", stacklevel=3)
    return events
