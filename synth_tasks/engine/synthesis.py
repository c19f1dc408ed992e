"""Synthesis: replacing real cells with draws from models of the real data."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd

from synth_tasks.data import decode
from synth_tasks.engine.fitting import (
    FittedVariable,
    bootstrap,
    draw_values,
    draws_parameters,
    fit_variable,
    training_rows,
)
from synth_tasks.engine.levels import lost_levels
from synth_tasks.engine.parts import TwoPart
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent
from synth_tasks.engine.refinement import Refined, refine
from synth_tasks.engine.registry import draws_sets
from synth_tasks.engine.strata import Strata, divide
from synth_tasks.engine.tree import SortedColumns, Tree, tree_as_text
from synth_tasks.engine.workers import map_in_threads
from synth_tasks.errors import PlanError
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
    fitted : FittedVariable or None
        The model; None if it is fitted anew for every set (proper synthesis).
    """

    name: str
    predictors: tuple[str, ...]
    fitted: FittedVariable | None


class DrawsTables(ABC):
    """What can be drawn from: a synthesizer, or one for each stratum."""

    plan: ImputationPlan

    @abstractmethod
    def draw(self, seed: int, set_number: int, imputation: int = 1) -> np.ndarray:
        """Draw one encoded synthetic set."""

    def draw_sets(
        self, seed: int, set_numbers: Sequence[int], imputation: int = 1
    ) -> list[np.ndarray]:
        """Draw several encoded synthetic sets."""
        return [self.draw(seed, number, imputation) for number in set_numbers]

    def draw_table(self, seed: int, set_number: int = 1) -> pd.DataFrame:
        """Draw one synthetic set as a table with the dtypes and categories of the data.

        Parameters
        ----------
        seed : int
            Root seed.
        set_number : int, default 1
            Number of the set; each has random numbers of its own.

        Returns
        -------
        DataFrame of shape (k, n_variables)
        """
        return decode(self.draw(seed, set_number), self.plan.schema)


@dataclass(frozen=True)
class Synthesizer(DrawsTables):
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
    imputed : ndarray of bool of shape (n_rows, n_variables), optional
        Cells that an imputation has filled in, where models are fitted anew for every set.
    """

    plan: ImputationPlan
    matrix: np.ndarray
    steps: tuple[SynthesisStep, ...]
    events: tuple[LoggedEvent, ...] = ()
    imputed: np.ndarray | None = None

    def draw(
        self,
        seed: int,
        set_number: int,
        imputation: int = 1,
        *,
        k: int | None = None,
        stratum: int | None = None,
    ) -> np.ndarray:
        """Draw one synthetic set.

        Parameters
        ----------
        seed : int
            Root seed.
        set_number : int
            Number of the set, 1..m.
        imputation : int, default 1
            Which completed data set the synthesizer was fitted on.
        k : int, optional
            Rows of the set, if all cells are replaced; as planned if not given.
        stratum : int, optional
            Number of the stratum, if this is the synthesizer of one.

        Returns
        -------
        ndarray of shape (k, n_variables)
            Encoded synthetic data; rows in source order where some cells are kept.
        """
        return self._draw(seed, [set_number], imputation, self.plan.k if k is None else k, stratum)

    def draw_sets(
        self, seed: int, set_numbers: Sequence[int], imputation: int = 1
    ) -> list[np.ndarray]:
        """Draw several sets; those of trees in one go, which saves time where there are few rows.

        Parameters
        ----------
        seed, imputation
            See `draw`.
        set_numbers : sequence of int
            Numbers of the sets.

        Returns
        -------
        list of ndarray of shape (k, n_variables)
            The sets that `draw` gives.
        """
        plan = self.plan
        one_model_for_all = plan.conditioning == "synthetic" and not plan.rules
        if not one_model_for_all or not all(
            s.fitted and draws_sets(s.fitted.model) for s in self.steps
        ):
            return super().draw_sets(seed, set_numbers, imputation)
        drawn = self._draw(seed, set_numbers, imputation, plan.k, None)
        return [np.asfortranarray(one) for one in np.split(drawn, len(set_numbers))]

    def _draw(
        self,
        seed: int,
        set_numbers: Sequence[int],
        imputation: int,
        k: int,
        stratum: int | None,
    ) -> np.ndarray:
        """Draw sets, whose rows stand one after the other; several of them only from `DrawsSets`."""
        plan, n_sets = self.plan, len(set_numbers)
        # Cells yet to be drawn are NaN, so that no real value can reach a prediction.
        if plan.replaced.all():
            where = np.ones((n_sets * k, len(plan.schema)), dtype=bool, order="F")
            work = np.full(where.shape, np.nan, order="F")
        else:
            where, real = plan.replaced, self.matrix
            if n_sets > 1:
                where, real = np.tile(where, (n_sets, 1)), np.tile(real, (n_sets, 1))
            work = _without(real, where)
        done = {v.name for v in plan.schema if not plan.column(where, v.name).any()}
        self._compute_passive(work, where, done)
        of_stratum: tuple[int | str, ...] = () if stratum is None else ("stratum", stratum)
        for step in self.steps:
            rows = plan.column(where, step.name)
            addresses = [(imputation, n, step.name, *of_stratum) for n in set_numbers]
            rngs = [generator(seed, "synthesis", *address) for address in addresses]
            fitted = step.fitted or self._refit(step, generator(seed, "bootstrap", *addresses[0]))
            source = self.matrix if plan.conditioning == "observed" else work
            values = draw_values(plan, fitted, source, work, rows, rngs)
            plan.column(work, step.name)[rows] = values
            done.add(step.name)
            self._compute_passive(work, where, done)
        return work

    def tree_as_text(self, name: str, maxdepth: int = 5) -> str:
        """Draw the tree of a variable as text: CONFIDENTIAL, for it tells values of the data.

        Parameters
        ----------
        name : str
            A variable that is drawn by cart.
        maxdepth : int, default 5
            Deeper parts are left out.

        Returns
        -------
        str
            One line a node; see `synth_tasks.engine.tree.tree_as_text`.
        """
        fitted = next((step.fitted for step in self.steps if step.name == name), None)
        model = None if fitted is None else fitted.model
        while isinstance(model, (Refined, TwoPart)):
            model = model.model if isinstance(model, Refined) else model.value
        if fitted is None or not isinstance(model, Tree):
            raise PlanError(f"'{name}' has no fitted tree: name a variable whose method is cart")
        return tree_as_text(model, self.plan.schema[name], fitted.columns.described, maxdepth)

    def _refit(self, step: SynthesisStep, rng: np.random.Generator) -> FittedVariable:
        """Fit on a bootstrap sample, as the approximate Bayesian bootstrap of a proper synthesis."""
        rows = bootstrap(_training_rows(self.plan, step.name, self.matrix), rng)
        return _fit(
            self.plan,
            step.name,
            step.predictors,
            self.matrix,
            rows,
            self._sorted_columns,
            lambda event: None,
            self.imputed,
        )

    @cached_property
    def _sorted_columns(self) -> SortedColumns:
        """The columns as all sets of a proper synthesis share them."""
        return SortedColumns(self.matrix, self.plan.schema.variables)

    def _compute_passive(self, work: np.ndarray, where: np.ndarray, done: set[str]) -> None:
        """Compute the passive variables whose inputs have become available."""
        for name in self.plan.passive.ready(done - set(self.plan.passive.order)):
            rows = self.plan.column(where, name)
            if name not in done and rows.any():
                self.plan.column(work, name)[rows] = self.plan.passive.compute(name, work, rows)
            done.add(name)


@dataclass(frozen=True)
class StratifiedSynthesizer(DrawsTables):
    """A synthesizer for each stratum; as confidential as one.

    Parameters
    ----------
    plan : ImputationPlan
        Of the whole data.
    matrix : ndarray of shape (n_rows, n_variables)
        The cells that are kept; NaN elsewhere.
    strata : Strata
        Which rows belong together.
    synthesizers : tuple of Synthesizer
        One a stratum.
    events : tuple of LoggedEvent
        Remarks of the methods, and which strata were merged.

    References
    ----------
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11).
    """

    plan: ImputationPlan
    matrix: np.ndarray
    strata: Strata
    synthesizers: tuple[Synthesizer, ...]
    events: tuple[LoggedEvent, ...] = ()

    def draw(self, seed: int, set_number: int, imputation: int = 1) -> np.ndarray:
        """Draw one synthetic set; see `Synthesizer.draw`.

        Where all cells are replaced, the sizes of the strata are drawn too (their real sizes are counts
        of people), and the strata stand one after the other.
        """
        drawn: list[np.ndarray] = []
        if not self.plan.replaced.all():
            work = self.matrix.copy(order="F")
            for number, synthesizer in enumerate(self.synthesizers):
                rows = self.strata.rows(number)
                work[rows] = synthesizer.draw(seed, set_number, imputation, stratum=number)
            return work
        rng = generator(seed, "strata", imputation, set_number)
        sizes = rng.multinomial(self.plan.k, self.strata.shares)
        for number, (synthesizer, size) in enumerate(zip(self.synthesizers, sizes, strict=True)):
            drawn.append(
                synthesizer.draw(seed, set_number, imputation, k=int(size), stratum=number)
            )
        return np.asfortranarray(np.vstack(drawn))


AnySynthesizer = Synthesizer | StratifiedSynthesizer


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
    kept = _without(matrix, plan.replaced)
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
            rows = _training_rows(plan, name, matrix)
            if only_observed:
                rows = _observed_rows(plan, name, rows, imputed)
            fitted = _fit(plan, name, predictors[name], matrix, rows, sorted_columns, log, imputed)
        step()
        return SynthesisStep(name, predictors[name], fitted)

    # The last variables have the most predictors: begun first, none is left to be waited for.
    steps = tuple(map_in_threads(fit, names[::-1], workers)[::-1])
    needs_all = plan.conditioning == "observed" or any(s.fitted is None for s in steps)
    kept = matrix if needs_all else _without(matrix, plan.replaced)
    remarks = tuple(e for name in names for e in events[name])
    return Synthesizer(plan, kept, steps, remarks, imputed if needs_all else None)


def _without(matrix: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return a column-major copy in which some cells are NaN."""
    left = matrix.copy(order="F")
    left[cells] = np.nan
    return left


def _training_rows(plan: ImputationPlan, name: str, matrix: np.ndarray) -> np.ndarray:
    return training_rows(plan, name, matrix, np.ones(plan.n_rows, dtype=bool))


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


def _fit(
    plan: ImputationPlan,
    name: str,
    predictors: tuple[str, ...],
    matrix: np.ndarray,
    rows: np.ndarray,
    sorted_columns: SortedColumns,
    log: Callable[[str], None],
    imputed: np.ndarray | None,
) -> FittedVariable:
    # Persons, each of them once: a bootstrap sample has some of them several times.
    persons = rows if rows.dtype == bool else np.unique(rows)
    observed = plan.column(matrix, name)[persons]
    if imputed is not None:
        observed = observed[~plan.column(imputed, name)[persons]]
    refine_values = partial(refine, plan, name, observed=observed)
    return fit_variable(plan, name, predictors, matrix, rows, log, refine_values, sorted_columns)


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
            n_lost = lost_levels(values, values[_training_rows(plan, name, matrix)])
            if n_lost and name not in plan.rules:
                event = f"{n_lost} of its categories occur in no training row: they cannot be drawn"
                events.append(LoggedEvent(name, event))
                warnings.warn(f"'{name}': {event}", stacklevel=3)
    return events
