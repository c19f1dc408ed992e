"""Synthesis: replacing real cells with draws from models of the real data."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from synth_tasks.engine.fitting import bootstrap, draw_values, fit_variable, select
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent
from synth_tasks.engine.registry import Fitted, find_method
from synth_tasks.seeding import generator


@dataclass(frozen=True)
class SynthesisStep:
    """One variable: its model, and what it is predicted from.

    Parameters
    ----------
    name : str
        The variable.
    predictors : tuple of str
        Variables already synthetic, or never replaced.
    fitted : Fitted or None
        The model; None if it is fitted anew for every set (proper synthesis).
    """

    name: str
    predictors: tuple[str, ...]
    fitted: Fitted | None


@dataclass(frozen=True)
class Synthesizer:
    """Fitted once, drawn from any number of times.

    It holds donors and the cells that are not replaced: it is as confidential as the data.

    Parameters
    ----------
    plan : ImputationPlan
        Its cells ``replaced`` are drawn.
    matrix : ndarray of shape (n_rows, n_variables)
        The completed real data; only what drawing needs: all cells for a proper synthesis or
        ``conditioning="observed"``, else the cells that are kept.
    steps : tuple of SynthesisStep
        In visiting order.
    events : tuple of LoggedEvent
        Remarks of the methods.
    """

    plan: ImputationPlan
    matrix: np.ndarray
    steps: tuple[SynthesisStep, ...]
    events: tuple[LoggedEvent, ...] = ()

    def draw(self, seed: int, set_number: int, imputation: int = 1) -> np.ndarray:
        """Draw one synthetic set.

        Parameters
        ----------
        seed : int
            Root seed.
        set_number : int
            Number of the set, 1..m.
        imputation : int, default 1
            Which completed data set the synthesizer was fitted on.

        Returns
        -------
        ndarray of shape (k, n_variables)
            Encoded synthetic data, rows in source order.
        """
        plan = self.plan
        # Cells yet to be drawn are NaN, so that no real value can reach a prediction.
        if plan.k == plan.n_rows:
            where = plan.replaced
            work = np.where(where, np.nan, self.matrix)
        else:
            where = np.ones((plan.k, len(plan.schema)), dtype=bool)
            work = np.full(where.shape, np.nan, order="F")
        done = {v.name for v in plan.schema if not plan.column(where, v.name).any()}
        self._compute_passive(work, where, done)
        for step in self.steps:
            rows = plan.column(where, step.name)
            address = (imputation, set_number, step.name)
            fitted = step.fitted or self._refit(step, generator(seed, "bootstrap", *address))
            source = self.matrix if plan.conditioning == "observed" else work
            x = select(plan, step.predictors, source, rows)
            rng = generator(seed, "synthesis", *address)
            values = draw_values(plan, step.name, fitted, x, work, rows, rng)
            plan.column(work, step.name)[rows] = values
            done.add(step.name)
            self._compute_passive(work, where, done)
        return work

    def _refit(self, step: SynthesisStep, rng: np.random.Generator) -> Fitted:
        """Fit on a bootstrap sample, as the approximate Bayesian bootstrap of a proper synthesis."""
        rows = bootstrap(~self.plan.ignore, rng)
        return fit_variable(
            self.plan, step.name, step.predictors, self.matrix, rows, lambda event: None
        )

    def _compute_passive(self, work: np.ndarray, where: np.ndarray, done: set[str]) -> None:
        """Compute the passive variables whose inputs have become available."""
        for name in self.plan.passive.ready(done - set(self.plan.passive.order)):
            rows = self.plan.column(where, name)
            if name not in done and rows.any():
                self.plan.column(work, name)[rows] = self.plan.passive.compute(name, work, rows)
            done.add(name)


def fit_synthesizer(
    plan: ImputationPlan,
    matrix: np.ndarray,
    workers: int = 1,
    step: Callable[[], None] = lambda: None,
) -> Synthesizer:
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
        Called after each fit, for progress.

    Returns
    -------
    Synthesizer

    References
    ----------
    Reiter (2005). Using CART to generate partially synthetic public use microdata. Journal of Official
    Statistics 21, 441-462.
    Raab, Nowok & Dibben (2016). Practical data synthesis for large samples. Journal of Privacy and
    Confidentiality 7(3), 67-97.
    """
    sequential = plan.conditioning == "synthetic"
    predictors = plan.sequential_predictors() if sequential else dict(plan.predictors)
    names = plan.drawn
    methods = plan.effective_methods()
    events: dict[str, list[LoggedEvent]] = {name: [] for name in names}
    for name in names:
        if methods[name] != plan.methods[name]:
            events[name].append(LoggedEvent(name, "has no predictor yet: drawn from its margin"))
    plan = replace(plan, methods=methods)

    def fit(name: str) -> SynthesisStep:
        fitted = None
        if not plan.proper or find_method(methods[name]).draws_parameters:
            fitted = fit_variable(
                plan,
                name,
                predictors[name],
                matrix,
                ~plan.ignore,
                lambda event: events[name].append(LoggedEvent(name, event)),
            )
        step()
        return SynthesisStep(name, predictors[name], fitted)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        steps = tuple(pool.map(fit, names))
    needs_all = plan.conditioning == "observed" or any(s.fitted is None for s in steps)
    kept = matrix if needs_all else np.where(plan.replaced, np.nan, matrix)
    return Synthesizer(plan, kept, steps, tuple(e for name in names for e in events[name]))
