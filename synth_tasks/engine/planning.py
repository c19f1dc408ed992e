"""Making a plan: resolving the arguments of `mice` and checking that they can work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.data import Schema
from synth_tasks.engine.passive import PassiveVariables
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent, is_formula
from synth_tasks.engine.registry import check_suits, find_method, make_options
from synth_tasks.engine.setup import DEFAULT_METHODS, WHERE_KEYWORDS, order_columns
from synth_tasks.errors import PlanError
from synth_tasks.expressions import Expression


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
    _check_options(method_options)
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


def _check_options(method_options: Mapping[str, Mapping[str, Any]] | None) -> None:
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
