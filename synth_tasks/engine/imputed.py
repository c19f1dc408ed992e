"""The result of an imputation or a synthesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from synth_tasks.data import Schema, decode
from synth_tasks.engine.chain import ChainResult, Step, impute, nothing
from synth_tasks.engine.convergence import convergence_table
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent
from synth_tasks.engine.plots import density_plot, strip_plot, trace_plot
from synth_tasks.engine.workers import Executors, check_workers, run_all
from synth_tasks.errors import PlanError
from synth_tasks.inference import (
    JointTest,
    ModelFit,
    PooledEstimates,
    Unconverged,
    chi_squared_test,
    choose_rule,
    fit_model,
    likelihood_ratio_test,
    pool,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Stage = Literal["imputation", "synthesis", "imputation and synthesis"]
Layout = Literal["all", "long", "stacked", "broad", "repeated"]


@dataclass(frozen=True)
class Provenance:
    """What an analyst must know to pool the sets.

    Parameters
    ----------
    stage : {"imputation", "synthesis", "imputation and synthesis"}
        What was filled in.
    m, r : int
        Imputations, and syntheses of each; `m` sets and ``r = 1`` for a single stage.
    proper : bool
        Whether parameters were drawn for every set.
    conditioning : {"synthetic", "observed"}
        What synthetic values were drawn given.
    n, k : int
        Rows of the real data and of each set.
    synthesised : tuple of str
        Variables with replaced cells.
    methods : mapping of str to str
        Method of each variable.
    """

    stage: Stage
    m: int
    r: int
    proper: bool
    conditioning: str
    n: int
    k: int
    synthesised: tuple[str, ...]
    methods: dict[str, str]


@dataclass(frozen=True, eq=False)
class MultiplyImputed:
    """Several completed or synthetic versions of one data set.

    For a synthesis it holds no real value, except in the cells that the plan leaves as they are.

    Parameters
    ----------
    schema : Schema
        The variables.
    sets : tuple of ndarray of shape (k, n_variables)
        Encoded data sets 1..m.
    provenance : Provenance
        How they were made.
    events : tuple of LoggedEvent
        What was decided on the user's behalf.
    index : Index
        Row labels.
    original : ndarray of shape (n_rows, n_variables), optional
        The incomplete data; kept for an imputation only, like `plan` and `seed`.
    plan : ImputationPlan, optional
        What was done.
    seed : int, optional
        Root seed.
    states : tuple of ndarray, optional
        Where the chains of an imputation stand, if `sets` have holes that are to stay.
    chain_means, chain_variances : ndarray of shape (maxit, n_incomplete, m), optional
        Mean and variance of the imputed values (category codes count from 0).
    chain_variables : tuple of str
        The variables on the second axis.
    """

    schema: Schema
    sets: tuple[np.ndarray, ...]
    provenance: Provenance
    events: tuple[LoggedEvent, ...]
    index: pd.Index
    original: np.ndarray | None = None
    plan: ImputationPlan | None = None
    seed: int | None = None
    states: tuple[np.ndarray, ...] | None = None
    chain_means: np.ndarray | None = None
    chain_variances: np.ndarray | None = None
    chain_variables: tuple[str, ...] = ()

    @property
    def m(self) -> int:
        """Number of sets."""
        return len(self.sets)

    def complete(
        self, action: int | Sequence[int] | Layout = 1, include_original: bool = False
    ) -> pd.DataFrame | list[pd.DataFrame]:
        """Return completed or synthetic data.

        Parameters
        ----------
        action : int, sequence of int, or str, default 1
            The number of a set (1..m) or several; "all" gives a list; "long" stacks the sets under
            each other with columns ``.imp`` and ``.id``; "stacked" does so without them; "broad" puts
            them side by side, set by set, and "repeated" variable by variable.
        include_original : bool, default False
            Put the incomplete data in front as set 0; for imputations only. With the number of one
            set, a list of both is returned.

        Returns
        -------
        DataFrame or list of DataFrame
        """
        if isinstance(action, (int, np.integer)):
            frames = self._frames([int(action)], include_original)
            return frames if include_original else frames[0]
        if not isinstance(action, str):
            return self._frames(list(action), include_original)
        frames = self._frames(list(range(1, self.m + 1)), include_original)
        if action == "all":
            return frames
        numbers = range(0 if include_original else 1, self.m + 1)
        if action == "stacked":
            return pd.concat(frames, ignore_index=True)
        if action == "long":
            marked = [
                frame.assign(**{".imp": number, ".id": range(1, len(frame) + 1)})
                for number, frame in zip(numbers, frames, strict=True)
            ]
            return pd.concat(marked, ignore_index=True)
        if action in ("broad", "repeated"):
            named = [f.add_suffix(f".{i}") for i, f in zip(numbers, frames, strict=True)]
            broad = pd.concat(named, axis=1)
            if action == "broad":
                return broad
            return broad[[f"{name}.{i}" for name in self.schema.names for i in numbers]]
        raise PlanError(
            f"complete: unknown action '{action}'; use 1..{self.m}, all, long, stacked, broad, repeated"
        )

    def _frames(self, numbers: list[int], include_original: bool) -> list[pd.DataFrame]:
        frames = []
        if include_original:
            if self.original is None:
                raise PlanError("the original data are not kept with a synthesis")
            frames.append(decode(self.original, self.schema, self.index))
        for number in numbers:
            if not 1 <= number <= self.m:
                raise PlanError(f"there is no set {number}: sets are numbered 1..{self.m}")
            frames.append(decode(self.sets[number - 1], self.schema, self.index))
        return frames

    def fit(
        self,
        model: str,
        formula: str | None = None,
        variables: Sequence[str] | None = None,
        **options: Any,
    ) -> list[ModelFit]:
        """Fit an analysis model to every set; see `synth_tasks.inference.fit_model`."""
        return [
            fit_model(frame, model, formula=formula, variables=variables, **options)
            for frame in self.complete("all")
        ]

    @property
    def pooling_rule(self) -> str:
        """The rule that pools estimates from these sets."""
        return choose_rule(self.provenance)[0]

    def pool(
        self,
        model: str,
        formula: str | None = None,
        variables: Sequence[str] | None = None,
        rule: str = "auto",
        confidence: float = 0.95,
        unconverged: Unconverged = "refuse",
        **options: Any,
    ) -> PooledEstimates:
        """Fit an analysis model to every set and pool by the rule that holds for them.

        Parameters
        ----------
        model, formula, variables, **options
            See `synth_tasks.fit_model`.
        rule : str, default "auto"
            See `synth_tasks.pool`; a rule that does not hold is refused.
        confidence : float, default 0.95
            Level of the intervals.
        unconverged : {"refuse", "leave_out", "keep"}, default "refuse"
            What becomes of fits that did not converge; see `synth_tasks.pool`.

        Returns
        -------
        PooledEstimates
            With tests of several terms by `synth_tasks.wald_test`, ``to_markdown``, ``to_latex`` and
            ``plot``.
        """
        fits = self.fit(model, formula, variables, **options)
        return pool(fits, rule, confidence, origin=self.provenance, unconverged=unconverged)

    def likelihood_ratio_test(
        self, model: str, formula: str, smaller: str, rule: str = "auto"
    ) -> JointTest:
        """Test that a smaller regression is enough; see `synth_tasks.likelihood_ratio_test`.

        Parameters
        ----------
        model : str
            A regression, as in `synth_tasks.fit_model`.
        formula, smaller : str
            Formulas of the larger and of the smaller model.
        rule : str, default "auto"
            See `synth_tasks.pool`; a rule that does not hold is refused.

        Returns
        -------
        JointTest
        """
        fits, smaller_fits = self.fit(model, formula), self.fit(model, smaller)
        return likelihood_ratio_test(fits, smaller_fits, rule, origin=self.provenance)

    def chi_squared_test(self, variables: Sequence[str]) -> JointTest:
        """Test that two categorical variables are independent, in imputed sets.

        Parameters
        ----------
        variables : sequence of 2 str
            Columns; see `synth_tasks.chi_squared_test`, also for what to do with synthetic sets.

        Returns
        -------
        JointTest
        """
        return chi_squared_test(self.complete("all"), variables, "auto", self.provenance)

    # --- chains ----------------------------------------------------------------------------------

    def more_sweeps(
        self, maxit: int = 5, workers: int = 1, executor: Executors = "threads"
    ) -> MultiplyImputed:
        """Go on with the chains of an imputation.

        Parameters
        ----------
        maxit : int, default 5
            Further sweeps. Five and five sweeps give the same bytes as ten.
        workers : int, default 1
            Threads or processes.
        executor : {"threads", "processes"}, default "threads"
            What `workers` are.

        Returns
        -------
        MultiplyImputed
        """
        check_workers(workers, executor)
        if isinstance(maxit, bool) or not isinstance(maxit, int) or maxit < 1:
            raise PlanError("maxit must be a whole number of 1 or more")
        means, variances = self._chains()
        if self.plan is None or self.seed is None:
            raise PlanError("several results were bound together: continue each of them, then bind")
        further = replace(self.plan, maxit=maxit)
        states = self.sets if self.states is None else self.states
        run = partial(_continue_chain, further, states, self.seed, len(means))
        chains = run_all(run, range(1, self.m + 1), workers, executor, nothing)
        matrices = tuple(chain.matrix for chain in chains)
        return replace(
            self,
            sets=tuple(keep_holes(self.plan, matrix) for matrix in matrices),
            states=None if self.states is None else matrices,
            plan=replace(self.plan, maxit=len(means) + maxit),
            events=(*self.events, *(event for chain in chains for event in chain.events)),
            chain_means=np.concatenate([means, np.stack([c.means for c in chains], axis=-1)]),
            chain_variances=np.concatenate(
                [variances, np.stack([c.variances for c in chains], axis=-1)]
            ),
        )

    def bind(self, other: MultiplyImputed) -> MultiplyImputed:
        """Put the sets of two results of the same set-up, made with different seeds, together.

        Parameters
        ----------
        other : MultiplyImputed
            Imputations or syntheses of the same data with the same settings.

        Returns
        -------
        MultiplyImputed
            With the sets of both, in order.
        """
        ours, theirs = replace(self.provenance, m=1), replace(other.provenance, m=1)
        if self.schema != other.schema or ours != theirs:
            raise PlanError("bind: the two results have different variables or settings")
        ours_real, theirs_real = self.original, other.original
        if (
            ours_real is not None
            and theirs_real is not None
            and not np.array_equal(ours_real, theirs_real, equal_nan=True)
        ):
            raise PlanError("bind: the two results come from different data")
        if self._same_draws(other):
            raise PlanError("bind: the two results were made with the same seed: use another one")
        chains: dict[str, np.ndarray] = {}
        for name in ("chain_means", "chain_variances"):
            a, b = getattr(self, name), getattr(other, name)
            if a is not None and b is not None:
                if len(a) != len(b):
                    raise PlanError(f"bind: {len(a)} and {len(b)} sweeps; use the same maxit")
                chains[name] = np.concatenate([a, b], axis=-1)
        return replace(
            self,
            sets=(*self.sets, *other.sets),
            provenance=replace(self.provenance, m=self.provenance.m + other.provenance.m),
            events=tuple(dict.fromkeys((*self.events, *other.events))),
            plan=None,
            seed=None,
            states=None,
            **chains,  # type: ignore[arg-type]
        )

    def _same_draws(self, other: MultiplyImputed) -> bool:
        """Whether the sets of another result are among ours; small sets may be equal by chance."""
        if self.seed is not None and other.seed is not None:
            return self.seed == other.seed
        return all(
            any(np.array_equal(one, own, equal_nan=True) for own in self.sets) for one in other.sets
        )

    def convergence(self, parameter: Literal["mean", "sd"] = "mean") -> pd.DataFrame:
        """Diagnose the chains of an imputation; see `synth_tasks.engine.convergence`.

        Parameters
        ----------
        parameter : {"mean", "sd"}, default "mean"
            Which chain: mean or standard deviation of the imputed values.

        Returns
        -------
        DataFrame
            Iteration, variable, autocorrelation and R-hat; R-hat below about 1.05 is well mixed.
        """
        means, variances = self._chains()
        return convergence_table(means, variances, self.chain_variables, parameter)

    def _chains(self) -> tuple[np.ndarray, np.ndarray]:
        if self.chain_means is None or self.chain_variances is None or self.original is None:
            raise PlanError("there are no chains: only the imputation of missing values has them")
        return self.chain_means, self.chain_variances

    # --- pictures --------------------------------------------------------------------------------

    def plot_trace(self) -> Figure:
        """Draw the chains of an imputation; see `synth_tasks.engine.plots.trace_plot`."""
        return trace_plot(*self._chains(), self.chain_variables)

    def plot_density(
        self, variables: Sequence[str] | None = None, data: pd.DataFrame | None = None
    ) -> Figure:
        """Compare distributions; see `synth_tasks.engine.plots.density_plot`.

        Parameters
        ----------
        variables : sequence of str, optional
            What to draw.
        data : DataFrame, optional
            Real data beside synthetic ones, which are not kept with a synthesis.

        Returns
        -------
        Figure
        """
        return density_plot(self.schema, self.sets, self.original, variables, data)

    def plot_strip(
        self, variables: Sequence[str] | None = None, data: pd.DataFrame | None = None
    ) -> Figure:
        """Draw single values by set; see `synth_tasks.engine.plots.strip_plot`."""
        return strip_plot(self.schema, self.sets, self.original, variables, data)

    # --- tables and files ------------------------------------------------------------------------

    @property
    def logged_events(self) -> pd.DataFrame:
        """Return the logged events as a table: imputation, iteration, variable, event."""
        columns = ["imputation", "iteration", "variable", "event"]
        return pd.DataFrame(
            [[getattr(e, c) for c in columns] for e in self.events], columns=columns
        )

    def to_long_csv(self, path: str | Path) -> None:
        """Write an imputation so that R reads it: ``mice::as.mids(read.csv(path))``."""
        long = self.complete("long", include_original=True)
        assert isinstance(long, pd.DataFrame)  # noqa: S101  (tells the type checker)
        front = [".imp", ".id"]
        long[[*front, *self.schema.names]].to_csv(path, index=False, na_rep="NA")


def keep_holes(plan: ImputationPlan, completed: np.ndarray) -> np.ndarray:
    """Give missing cells outside `where` back their hole: they were filled to predict others only."""
    cells = plan.missing & ~plan.where
    return np.where(cells, np.nan, completed) if cells.any() else completed


def _continue_chain(
    plan: ImputationPlan,
    sets: Sequence[np.ndarray],
    seed: int,
    sweeps_done: int,
    number: int,
    step: Step = nothing,
) -> ChainResult:
    """Go on with chain `number`, 1..m, from its completed data."""
    start = sets[number - 1]
    return impute(plan, start, seed, number, step, start=start, sweeps_done=sweeps_done)


def make_provenance(plan: ImputationPlan, has_missing: bool) -> Provenance:
    """Record how the sets of a plan come about."""
    replaced = [n for n in plan.schema.names if plan.column(plan.overimputed, n).any()]
    stage: Stage = "imputation"
    if replaced:
        stage = "imputation and synthesis" if has_missing else "synthesis"
    methods = plan.effective_methods() if replaced else plan.methods
    return Provenance(
        stage=stage,
        m=plan.m,
        r=plan.r,
        proper=plan.proper,
        conditioning=plan.conditioning,
        n=plan.n_rows,
        k=plan.k,
        synthesised=tuple(replaced),
        methods={name: text for name, text in methods.items() if text},
    )
