"""Everything that is decided before the first number is drawn."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from synth_tasks.data import Schema
from synth_tasks.engine.passive import PassiveVariables
from synth_tasks.engine.registry import check_suits, find_method, make_options
from synth_tasks.engine.setup import DEFAULT_METHODS, WHERE_KEYWORDS, order_columns
from synth_tasks.errors import PlanError
from synth_tasks.expressions import Expression

Conditioning = Literal["synthetic", "observed"]
MARGIN_METHOD = "sample"


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """Something the engine decided that the user did not ask for.

    Parameters
    ----------
    variable : str
        The variable concerned.
    event : str
        What happened, in one line.
    imputation, iteration : int
        Where in the chain; 0 at set-up.
    """

    variable: str
    event: str
    imputation: int = 0
    iteration: int = 0


@dataclass(frozen=True, eq=False)
class ImputationPlan:
    """A resolved and checked set-up; the loop only executes it.

    Parameters
    ----------
    schema : Schema
        All variables in column order.
    m, maxit : int
        Number of imputations or synthetic sets, and of sweeps over the missing cells.
    methods : mapping of str to str
        Method of each variable; a formula (``~ ...``) for passive ones; empty for those left alone.
    predictors : mapping of str to tuple of str
        Allowed predictors of each variable, in column order.
    visit_sequence : tuple of str
        Order in which variables are imputed.
    where : ndarray of bool of shape (n_rows, n_variables)
        Cells to fill in.
    missing : ndarray of bool of shape (n_rows, n_variables)
        Cells that hold no value.
    post : mapping of str to str
        Formula applied to the values drawn.
    ignore : ndarray of bool of shape (n_rows,)
        Rows that no model is fitted on.
    conditioning : {"synthetic", "observed"}
        What synthetic values are drawn given: the synthetic or the real values of the row.
    proper : bool
        Whether methods that do not draw their parameters are fitted on bootstrap samples.
    k : int
        Rows of a synthetic set.
    options : mapping of str to mapping
        Options by method.
    events : tuple of LoggedEvent
        What was decided on the user's behalf.
    """

    schema: Schema
    m: int
    maxit: int
    methods: Mapping[str, str]
    predictors: Mapping[str, tuple[str, ...]]
    visit_sequence: tuple[str, ...]
    where: np.ndarray
    missing: np.ndarray
    post: Mapping[str, str]
    ignore: np.ndarray
    conditioning: Conditioning
    proper: bool
    k: int
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    events: tuple[LoggedEvent, ...] = ()

    @cached_property
    def passive(self) -> PassiveVariables:
        """The passive variables and their formulas."""
        return PassiveVariables(
            {name: text for name, text in self.methods.items() if is_formula(text)}, self.schema
        )

    @cached_property
    def post_expressions(self) -> dict[str, Expression]:
        """The post-processing formulas."""
        return {
            name: Expression(text, origin=f"post of '{name}'")
            for name, text in self.post.items()
            if text
        }

    @property
    def n_rows(self) -> int:
        """Rows of the data."""
        return len(self.where)

    @cached_property
    def overimputed(self) -> np.ndarray:
        """Observed cells to be replaced, of shape (n_rows, n_variables)."""
        return self.where & ~self.missing

    @cached_property
    def replaced(self) -> np.ndarray:
        """Cells that a synthesis draws anew, of shape (n_rows, n_variables).

        Where a variable has missing cells only, its imputations stay.
        """
        columns = np.asarray(self.overimputed.any(axis=0))
        for name in self.passive.order:
            inputs = [self.schema.position(i) for i in self.passive.expressions[name].names]
            columns[self.schema.position(name)] |= columns[inputs].any()
        return self.where & columns

    @property
    def drawn(self) -> list[str]:
        """Variables that a synthesis draws from a model, in visiting order."""
        return [
            name
            for name in self.visit_sequence
            if not is_formula(self.methods[name]) and self.column(self.replaced, name).any()
        ]

    @property
    def synthesises(self) -> bool:
        """Whether any observed cell is to be replaced."""
        return bool(self.overimputed.any())

    @property
    def incomplete(self) -> list[str]:
        """Variables with missing values that have a method to fill them in, in visiting order."""
        return [v for v in self.visit_sequence if self.column(self.missing, v).any()]

    def column(self, matrix: np.ndarray, name: str) -> np.ndarray:
        """Return the column of a variable."""
        return matrix[:, self.schema.position(name)]

    def sequential_predictors(self) -> dict[str, tuple[str, ...]]:
        """Return the predictors of each variable in a sequential synthesis.

        These are the allowed predictors that are not overimputed at all, or that were visited before.
        A passive variable counts as visited as soon as its inputs are.
        """
        done = [v.name for v in self.schema if not self.column(self.replaced, v.name).any()]
        found = {}
        for name in self.drawn:
            visited = {*done, *self.passive.ready(done)}
            found[name] = tuple(p for p in self.predictors[name] if p in visited)
            done.append(name)
        return found

    def effective_methods(self) -> dict[str, str]:
        """Return the methods that a sequential synthesis uses.

        A variable without predictors is drawn from its margin: a model with an intercept only would
        bend its shape.
        """
        methods = dict(self.methods)
        if self.conditioning == "synthetic":
            predictors = self.sequential_predictors()
            methods |= {name: MARGIN_METHOD for name, p in predictors.items() if not p}
        return methods

    # --- printing and storing --------------------------------------------------------------------

    def __str__(self) -> str:
        """Return a table of what will be done."""
        sequential = self.synthesises and self.conditioning == "synthetic"
        predictors = self.sequential_predictors() if sequential else self.predictors
        methods = self.effective_methods() if sequential else self.methods
        rows = [
            {
                "variable": name,
                "kind": str(self.schema[name].kind),
                "method": methods[name],
                "cells": int(self.column(self.where, name).sum()),
                "predictors": ", ".join(predictors.get(name, ())) or "-",
            }
            for name in self.visit_sequence
        ]
        head = f"m = {self.m}, maxit = {self.maxit}, conditioning on {self.conditioning} values"
        return head + "\n" + pd.DataFrame(rows).to_string(index=False)

    def to_json(self) -> str:
        """Serialise the plan; `from_json` reads it back."""
        return json.dumps(
            {
                "schema": self.schema.to_dict(),
                "m": self.m,
                "maxit": self.maxit,
                "methods": dict(self.methods),
                "predictors": {name: list(p) for name, p in self.predictors.items()},
                "visit_sequence": list(self.visit_sequence),
                "n_rows": self.n_rows,
                "where": _pack(self.where),
                "missing": _pack(self.missing),
                "post": dict(self.post),
                "ignore": _pack(self.ignore),
                "conditioning": self.conditioning,
                "proper": self.proper,
                "k": self.k,
                "options": {name: dict(o) for name, o in self.options.items()},
                "events": [[e.variable, e.event] for e in self.events],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> ImputationPlan:
        """Rebuild a plan from `to_json`."""
        item = json.loads(text)
        schema = Schema.from_dict(item.pop("schema"))
        n_rows = item.pop("n_rows")
        for name in ("where", "missing"):
            item[name] = _unpack(item[name], (n_rows, len(schema)))
        item["ignore"] = _unpack(item["ignore"], (n_rows,))
        item["predictors"] = {name: tuple(p) for name, p in item["predictors"].items()}
        item["visit_sequence"] = tuple(item["visit_sequence"])
        item["events"] = tuple(LoggedEvent(*event) for event in item["events"])
        return cls(schema=schema, **item)


def _pack(mask: np.ndarray) -> str:
    return base64.b64encode(np.packbits(mask).tobytes()).decode()


def _unpack(text: str, shape: tuple[int, ...]) -> np.ndarray:
    bits = np.frombuffer(base64.b64decode(text), dtype=np.uint8)
    return np.unpackbits(bits, count=int(np.prod(shape))).astype(bool).reshape(shape)


def is_formula(method: str) -> bool:
    """Whether a method is the formula of a passive variable."""
    return method.lstrip().startswith("~")


# --- making a plan --------------------------------------------------------------------------------


def make_plan(
    schema: Schema,
    missing: np.ndarray,
    *,
    m: int = 5,
    maxit: int = 5,
    method: str | Sequence[str] | Mapping[str, str] | None = None,
    predictor_matrix: pd.DataFrame | Mapping[str, Mapping[str, int]] | None = None,
    where: str | pd.DataFrame | np.ndarray = "missing",
    visit_sequence: str | Sequence[str] = "roman",
    post: Mapping[str, str] | None = None,
    ignore: Sequence[bool] | np.ndarray | None = None,
    conditioning: str = "synthetic",
    proper: bool = False,
    k: int | None = None,
    method_options: Mapping[str, Mapping[str, Any]] | None = None,
) -> ImputationPlan:
    """Resolve and check the arguments of `mice`, which documents them.

    Parameters
    ----------
    schema : Schema
        All variables.
    missing : ndarray of bool of shape (n_rows, n_variables)
        Cells without a value.
    m, maxit, method, predictor_matrix, where, visit_sequence, post, ignore : see `mice`
    conditioning, proper, k, method_options : see `mice`

    Returns
    -------
    ImputationPlan

    Raises
    ------
    PlanError
        If the set-up cannot work; the message names the setting and the remedy.
    """
    for name, number in (("m", m), ("maxit", maxit)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise PlanError(f"{name} must be a whole number of 1 or more")
    if conditioning not in ("synthetic", "observed"):
        raise PlanError("conditioning must be 'synthetic' or 'observed'")
    mask = _resolve_where(where, missing, schema)
    methods = _resolve_methods(method, schema, mask)
    mask = mask & np.array([bool(methods[name]) for name in schema.names])
    events: list[LoggedEvent] = []
    passive = PassiveVariables({n: t for n, t in methods.items() if is_formula(t)}, schema)
    mask = _extend_to_passive(mask, missing, passive, events)
    allowed = _resolve_predictors(predictor_matrix, schema)
    predictors = _clean_predictors(allowed, methods, passive, missing, schema, events)
    visits = _resolve_visits(visit_sequence, schema, mask, methods)
    _check_options(method_options, methods)
    plan = ImputationPlan(
        schema=schema,
        m=m,
        maxit=maxit,
        methods=methods,
        predictors=predictors,
        visit_sequence=visits,
        where=mask,
        missing=missing,
        post=_resolve_post(post, schema, methods),
        ignore=_resolve_ignore(ignore, len(missing)),
        conditioning=conditioning,  # type: ignore[arg-type]
        proper=bool(proper),
        k=_resolve_k(k, mask, conditioning),
        options={name: dict(options) for name, options in (method_options or {}).items()},
        events=tuple(events),
    )
    _check_donors(plan)
    _check_formulas(plan)
    return plan


def _resolve_where(
    where: str | pd.DataFrame | np.ndarray, missing: np.ndarray, schema: Schema
) -> np.ndarray:
    if isinstance(where, str):
        if where not in WHERE_KEYWORDS:
            raise PlanError(f"where: unknown keyword '{where}'; use {', '.join(WHERE_KEYWORDS)}")
        return {
            "missing": missing,
            "all": np.ones_like(missing),
            "none": np.zeros_like(missing),
            "observed": ~missing,
        }[where].copy()
    if isinstance(where, pd.DataFrame):
        _require_names("where", list(where.columns), schema)
        where = where.reindex(columns=schema.names, fill_value=False).to_numpy()
    mask = np.asarray(where)
    if mask.shape != missing.shape or mask.dtype != bool:
        raise PlanError(
            f"where must be a table of True and False of shape {missing.shape}, not {mask.shape}"
        )
    return mask.copy()


def _resolve_methods(
    method: str | Sequence[str] | Mapping[str, str] | None, schema: Schema, mask: np.ndarray
) -> dict[str, str]:
    needed = {name: bool(mask[:, i].any()) for i, name in enumerate(schema.names)}
    methods = {v.name: DEFAULT_METHODS[v.kind] if needed[v.name] else "" for v in schema}
    if isinstance(method, str):
        methods = {name: method if needed[name] else "" for name in schema.names}
    elif isinstance(method, Mapping):
        _require_names("method", list(method), schema)
        methods |= {
            name: str(text)
            for name, text in method.items()
            if needed[name] or is_formula(str(text))
        }
    elif method is not None:
        if len(method) != len(schema):
            raise PlanError(f"method must have {len(schema)} entries, one per column")
        methods = {
            name: str(text) if needed[name] or is_formula(str(text)) else ""
            for name, text in zip(schema.names, method, strict=True)
        }
    for variable in schema:
        text = methods[variable.name]
        if text and not is_formula(text):
            check_suits(text, variable)
    return methods


def _extend_to_passive(
    mask: np.ndarray, missing: np.ndarray, passive: PassiveVariables, events: list[LoggedEvent]
) -> np.ndarray:
    """Recompute passive cells wherever a real input is replaced: the old value would give it away.

    An observed passive value whose input was missing stays, as any observed value does.
    """
    mask = mask.copy()
    for name in passive.order:
        column = passive.schema.position(name)
        inputs = [passive.schema.position(i) for i in passive.expressions[name].names]
        replaced = (mask[:, inputs] & ~missing[:, inputs]).any(axis=1)
        stale = replaced & ~mask[:, column]
        if stale.any():
            mask[stale, column] = True
            events.append(LoggedEvent(name, f"recomputed in {int(stale.sum())} more rows"))
    return mask


def _resolve_predictors(
    matrix: pd.DataFrame | Mapping[str, Mapping[str, int]] | None, schema: Schema
) -> dict[str, list[str]]:
    allowed = {t: {p: True for p in schema.names if p != t} for t in schema.names}
    if matrix is not None:
        rows = (
            {str(t): dict(matrix.loc[t]) for t in matrix.index}
            if isinstance(matrix, pd.DataFrame)
            else matrix
        )
        _require_names("predictor_matrix", list(rows), schema)
        for target, row in rows.items():
            _require_names(f"predictor_matrix row '{target}'", list(row), schema)
            for predictor, flag in row.items():
                if flag not in (0, 1):
                    raise PlanError(
                        f"predictor_matrix: entry of row '{target}', column '{predictor}' "
                        "must be 0 or 1"
                    )
                if predictor != target:
                    allowed[target][predictor] = bool(flag)
    return {target: [p for p, flag in row.items() if flag] for target, row in allowed.items()}


def _clean_predictors(
    predictors: Mapping[str, Sequence[str]],
    methods: Mapping[str, str],
    passive: PassiveVariables,
    missing: np.ndarray,
    schema: Schema,
    events: list[LoggedEvent],
) -> dict[str, tuple[str, ...]]:
    left_missing = {
        v.name for i, v in enumerate(schema) if missing[:, i].any() and not methods[v.name]
    }
    inputs = {name: passive.inputs(name) for name in passive.order}
    cleaned = {}
    for target, row in predictors.items():
        kept = []
        for predictor in row:
            if target in inputs.get(predictor, ()):
                reason = f"'{predictor}' does not predict '{target}', which it is computed from"
            elif predictor in left_missing:
                reason = f"'{predictor}' does not predict '{target}': its missing values stay"
            else:
                kept.append(predictor)
                continue
            if methods[target]:
                events.append(LoggedEvent(target, reason))
        cleaned[target] = tuple(kept)
    return cleaned


def _resolve_visits(
    visit_sequence: str | Sequence[str],
    schema: Schema,
    mask: np.ndarray,
    methods: Mapping[str, str],
) -> tuple[str, ...]:
    if isinstance(visit_sequence, str):
        order = order_columns(schema.names, mask.sum(axis=0), visit_sequence)
    else:
        order = list(visit_sequence)
        _require_names("visit_sequence", order, schema)
        if len(set(order)) != len(order):
            raise PlanError("visit_sequence names a variable twice: list each once")
    due = [name for name in schema.names if methods[name] and mask[:, schema.position(name)].any()]
    left_out = [name for name in due if name not in order and not is_formula(methods[name])]
    if left_out:
        raise PlanError(
            f"visit_sequence leaves out '{left_out[0]}', which has cells to impute: add it, or set "
            "its method to an empty text"
        )
    order += [name for name in due if name not in order]
    return tuple(name for name in order if name in due)


def _resolve_post(
    post: Mapping[str, str] | None, schema: Schema, methods: Mapping[str, str]
) -> dict[str, str]:
    texts = {name: text for name, text in (post or {}).items() if text}
    _require_names("post", list(texts), schema)
    for name, text in texts.items():
        if is_formula(methods[name]):
            raise PlanError(f"post: '{name}' is passive; put the correction into its formula")
        Expression(text, origin=f"post of '{name}'").require_columns(schema.names)
    return texts


def _resolve_ignore(ignore: Sequence[bool] | np.ndarray | None, n_rows: int) -> np.ndarray:
    if ignore is None:
        return np.zeros(n_rows, dtype=bool)
    rows = np.asarray(ignore)
    if rows.shape != (n_rows,) or rows.dtype != bool:
        raise PlanError(f"ignore must be {n_rows} times True or False, one per row")
    if rows.all():
        raise PlanError("ignore leaves no row to fit a model on")
    return rows


def _resolve_k(k: int | None, mask: np.ndarray, conditioning: str) -> int:
    n_rows = len(mask)
    if k is None or k == n_rows:
        return n_rows
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise PlanError("k must be a whole number of 1 or more")
    if not mask.all() or conditioning != "synthetic":
        raise PlanError(
            "k differs from the number of rows: set where='all', conditioning='synthetic'"
        )
    return k


def _check_options(
    method_options: Mapping[str, Mapping[str, Any]] | None, methods: Mapping[str, str]
) -> None:
    for name, given in (method_options or {}).items():
        find_method(name)
        if not isinstance(given, Mapping):
            raise PlanError(
                "method_options must be given by method, e.g. {'cart': {'minbucket': 3}}"
            )
        make_options(name, given)


def _check_donors(plan: ImputationPlan) -> None:
    for name in plan.visit_sequence:
        usable = ~plan.column(plan.missing, name) & ~plan.ignore
        if not usable.any() and not is_formula(plan.methods[name]):
            raise PlanError(
                f"column '{name}' has no observed value to learn from: drop it or give it a formula"
            )


def _check_formulas(plan: ImputationPlan) -> None:
    """Refuse formulas that would read a cell before it holds a value, or one that never does."""
    left_missing = [n for n in plan.schema.names if not plan.methods[n]]
    for name, expression in {**plan.passive.expressions, **plan.post_expressions}.items():
        rows = plan.column(plan.missing | plan.where, name)
        for read in sorted(expression.names.intersection(left_missing)):
            if (plan.column(plan.missing, read) & rows).any():
                raise PlanError(
                    f"{expression.origin} reads '{read}', whose missing values stay: give it a method"
                )
    if not plan.synthesises:
        return
    done = [name for name in plan.schema.names if not plan.column(plan.replaced, name).any()]
    for name in plan.drawn:
        if name in plan.post_expressions:
            available = {name, *done, *plan.passive.ready(done)}
            later = sorted(plan.post_expressions[name].names - available)
            if later:
                raise PlanError(
                    f"post of '{name}' reads '{later[0]}', which is drawn later: visit it earlier"
                )
        done.append(name)


def _require_names(setting: str, names: Sequence[object], schema: Schema) -> None:
    for name in names:
        if name not in schema:
            raise PlanError(
                f"{setting}: unknown column '{name}'; the data have {', '.join(schema.names)}"
            )
