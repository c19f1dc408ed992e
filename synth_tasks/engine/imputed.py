"""The result of an imputation or a synthesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from synth_tasks.data import Schema, decode
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent
from synth_tasks.errors import PlanError, PoolingError
from synth_tasks.inference import ModelFit, fit_model

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
        The incomplete data; kept for an imputation only.
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
        self, model: str, formula: str | None = None, variables: list[str] | None = None
    ) -> list[ModelFit]:
        """Fit an analysis model to every set; see `synth_tasks.inference.fit_model`."""
        return [
            fit_model(frame, model, formula=formula, variables=variables)
            for frame in self.complete("all")
        ]

    @property
    def pooling_rule(self) -> str:
        """The rule that pools estimates from these sets."""
        if self.provenance.stage == "imputation":
            return "rubin1987"
        if self.provenance.stage == "synthesis":
            return "reiter2003"
        raise PoolingError(
            "imputation and synthesis in one step with one synthesis an imputation has no pooling "
            "rule: impute once (m = 1), then synthesise the completed data"
        )

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
        r=1,
        proper=plan.proper,
        conditioning=plan.conditioning,
        n=plan.n_rows,
        k=plan.k,
        synthesised=tuple(replaced),
        methods={name: text for name, text in methods.items() if text},
    )
