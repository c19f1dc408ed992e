"""Synthesizers: fitted models of all variables, from which synthetic tables are drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd

from synth_tasks.data import decode
from synth_tasks.engine.fitting import (
    FittedVariable,
    bootstrap,
    draw_values,
    fit_variable,
    training_rows,
)
from synth_tasks.engine.parts import TwoPart
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent
from synth_tasks.engine.refinement import Refined, refine
from synth_tasks.engine.registry import draws_sets
from synth_tasks.engine.strata import Strata
from synth_tasks.engine.tree import SortedColumns, Tree, tree_as_text
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
            work = without_cells(real, where)
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
        rows = bootstrap(learnable_rows(self.plan, step.name, self.matrix), rng)
        return fit_step(
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


def learnable_rows(plan: ImputationPlan, name: str, matrix: np.ndarray) -> np.ndarray:
    """Mark the rows that the model of a variable learns from."""
    return training_rows(plan, name, matrix, np.ones(plan.n_rows, dtype=bool))


def fit_step(
    plan: ImputationPlan,
    name: str,
    predictors: tuple[str, ...],
    matrix: np.ndarray,
    rows: np.ndarray,
    sorted_columns: SortedColumns,
    log: Callable[[str], None],
    imputed: np.ndarray | None,
) -> FittedVariable:
    """Fit the model of a variable to rows, which a bootstrap sample names several times."""
    # Persons, each of them once: a bootstrap sample has some of them several times.
    persons = rows if rows.dtype == bool else np.unique(rows)
    observed = plan.column(matrix, name)[persons]
    if imputed is not None:
        observed = observed[~plan.column(imputed, name)[persons]]
    refine_values = partial(refine, plan, name, observed=observed)
    return fit_variable(plan, name, predictors, matrix, rows, log, refine_values, sorted_columns)


def without_cells(matrix: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return a column-major copy in which some cells are NaN."""
    left = matrix.copy(order="F")
    left[cells] = np.nan
    return left
