"""Reading the arguments of `mice`: what each setting means for the data at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

import numpy as np
import pandas as pd

from synth_tasks.data import Schema
from synth_tasks.data.closest import columns_there
from synth_tasks.engine.formulas import predictors_of, read_formula
from synth_tasks.engine.passive import PassiveVariables
from synth_tasks.engine.plan import LoggedEvent, SmoothingKind, is_formula
from synth_tasks.engine.registry import (
    NUMBERS,
    check_suits,
    find_method,
    make_options,
)
from synth_tasks.engine.rules import Rules, RuleTexts
from synth_tasks.engine.setup import DEFAULT_METHODS, WHERE_KEYWORDS, order_columns
from synth_tasks.engine.strata import least_stratum_size
from synth_tasks.errors import PlanError
from synth_tasks.expressions import Expression

SMOOTHING_KINDS: tuple[SmoothingKind, ...] = get_args(SmoothingKind)


def resolve_where(
    where: str | pd.DataFrame | np.ndarray, missing: np.ndarray, schema: Schema
) -> np.ndarray:
    """Return the mask of cells to fill in."""
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
        require_names("where", list(where.columns), schema)
        where = where.reindex(columns=schema.names, fill_value=False).to_numpy()
    mask = np.asarray(where)
    if mask.shape != missing.shape or mask.dtype != bool:
        raise PlanError(
            f"where must be a table of True and False of shape {missing.shape}, not {mask.shape}"
        )
    return mask.copy()


def resolve_methods(
    method: str | Sequence[str] | Mapping[str, str] | None, schema: Schema, mask: np.ndarray
) -> dict[str, str]:
    """Return the method of every variable; empty for those left alone."""
    needed = {name: bool(mask[:, i].any()) for i, name in enumerate(schema.names)}
    methods = {v.name: DEFAULT_METHODS[v.kind] if needed[v.name] else "" for v in schema}
    if isinstance(method, str):
        methods = {name: method if needed[name] else "" for name in schema.names}
    elif isinstance(method, Mapping):
        require_names("method", list(method), schema)
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


def extend_to_passive(
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


def resolve_predictors(
    matrix: pd.DataFrame | Mapping[str, Mapping[str, int]] | None, schema: Schema
) -> dict[str, list[str]]:
    """Return the predictors that the matrix allows."""
    allowed = {t: {p: True for p in schema.names if p != t} for t in schema.names}
    if matrix is not None:
        rows = (
            {str(t): dict(matrix.loc[t]) for t in matrix.index}
            if isinstance(matrix, pd.DataFrame)
            else matrix
        )
        require_names("predictor_matrix", list(rows), schema)
        for target, row in rows.items():
            require_names(f"predictor_matrix row '{target}'", list(row), schema)
            for predictor, flag in row.items():
                if flag not in (0, 1):
                    raise PlanError(
                        f"predictor_matrix: entry of row '{target}', column '{predictor}' "
                        "must be 0 or 1"
                    )
                if predictor != target:
                    allowed[target][predictor] = bool(flag)
    return {target: [p for p, flag in row.items() if flag] for target, row in allowed.items()}


def clean_predictors(
    predictors: Mapping[str, Sequence[str]],
    methods: Mapping[str, str],
    passive: PassiveVariables,
    missing: np.ndarray,
    schema: Schema,
    events: list[LoggedEvent],
) -> dict[str, tuple[str, ...]]:
    """Leave out predictors that cannot be used, and say so."""
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


def resolve_visits(
    visit_sequence: str | Sequence[str],
    schema: Schema,
    mask: np.ndarray,
    methods: Mapping[str, str],
) -> tuple[str, ...]:
    """Return the variables with cells to fill in, in visiting order."""
    if isinstance(visit_sequence, str):
        order = order_columns(schema.names, mask.sum(axis=0), visit_sequence)
    else:
        order = list(visit_sequence)
        require_names("visit_sequence", order, schema)
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


def resolve_post(
    post: Mapping[str, str] | None, schema: Schema, methods: Mapping[str, str]
) -> dict[str, str]:
    """Check post-processing formulas."""
    texts = {name: text for name, text in (post or {}).items() if text}
    require_names("post", list(texts), schema)
    for name, text in texts.items():
        if is_formula(methods[name]):
            raise PlanError(f"post: '{name}' is passive; put the correction into its formula")
        Expression(text, origin=f"post of '{name}'").require_columns(schema.names)
    return texts


def resolve_ignore(ignore: Sequence[bool] | np.ndarray | None, n_rows: int) -> np.ndarray:
    """Return the mask of rows that no model is fitted on."""
    if ignore is None:
        return np.zeros(n_rows, dtype=bool)
    rows = np.asarray(ignore)
    if rows.shape != (n_rows,) or rows.dtype != bool:
        raise PlanError(f"ignore must be {n_rows} times True or False, one per row")
    if rows.all():
        raise PlanError("ignore leaves no row to fit a model on")
    return rows


def resolve_k(k: int | None, mask: np.ndarray, conditioning: str) -> int:
    """Return the number of rows of a synthetic set."""
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


def resolve_formulas(
    formulas: Mapping[str, str] | None,
    allowed: dict[str, list[str]],
    methods: Mapping[str, str],
    schema: Schema,
) -> dict[str, str]:
    """Check model formulas; their variables take the place of the row in `allowed`."""
    texts = {name: text for name, text in (formulas or {}).items() if text}
    require_names("formulas", list(texts), schema)
    for name, text in texts.items():
        if is_formula(methods[name]):
            raise PlanError(f"formulas: '{name}' is passive; its formula stands in `method`")
        allowed[name] = list(predictors_of(read_formula(name, text, schema)))
    return texts


def resolve_rules(
    rules: RuleTexts | None, methods: Mapping[str, str], schema: Schema
) -> dict[str, dict[str, Any]]:
    """Check rules: known columns, possible values, and no passive variable."""
    given = {name: conditions for name, conditions in (rules or {}).items() if conditions}
    require_names("rules", list(given), schema)
    for name in given:
        if is_formula(methods[name]):
            raise PlanError(
                f"rules: '{name}' is passive; put the rule into its formula with where()"
            )
    read = Rules(given, schema)
    for name in given:
        if name in read.reads(name):
            raise PlanError(f"rules of '{name}': a condition cannot read the variable itself")
    return {name: dict(conditions) for name, conditions in given.items()}


def resolve_smoothing(
    smoothing: str | Mapping[str, str] | None, schema: Schema
) -> dict[str, SmoothingKind]:
    """Return the kind of smoothing by variable; one word means all numbers."""
    numbers = [v.name for v in schema if v.kind in NUMBERS]
    if smoothing is None or smoothing == "":
        return {}
    given = dict.fromkeys(numbers, smoothing) if isinstance(smoothing, str) else dict(smoothing)
    require_names("smoothing", list(given), schema)
    for name, kind in given.items():
        if kind not in SMOOTHING_KINDS:
            raise PlanError(f"smoothing: unknown kind '{kind}'; use {', '.join(SMOOTHING_KINDS)}")
        if name not in numbers:
            raise PlanError(f"smoothing: '{name}' is no number: leave it out")
    return cast("dict[str, SmoothingKind]", given)


def resolve_strata(
    strata: str | Sequence[str] | None, min_size: int | None, schema: Schema
) -> tuple[tuple[str, ...], int]:
    """Return the variables that divide the data, and the least number of rows of a part."""
    names = (strata,) if isinstance(strata, str) else tuple(strata or ())
    require_names("strata", names, schema)
    for name in names:
        if not schema[name].is_categorical:
            raise PlanError(
                f"strata: '{name}' is {schema[name].kind}, and strata are made of categories: declare "
                f"variables.{name}.kind, or group its values"
            )
    if min_size is None:
        return names, least_stratum_size(len(schema))
    if isinstance(min_size, bool) or not isinstance(min_size, int) or min_size < 1:
        raise PlanError("min_stratum_size must be a whole number of 1 or more")
    return names, min_size


def resolve_options(
    method_options: Mapping[str, Mapping[str, Any]] | None,
    variable_options: Mapping[str, Mapping[str, Any]] | None,
    methods: Mapping[str, str],
    schema: Schema,
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Check options by method, and those of single variables."""
    by_method: dict[str, Any] = dict(method_options or {})
    by_variable: dict[str, Any] = dict(variable_options or {})
    for setting, given in (("method_options", by_method), ("variable_options", by_variable)):
        for options in given.values():
            if not isinstance(options, Mapping):
                example = "cart" if setting == "method_options" else "hgt"
                raise PlanError(f"{setting} must look like {{'{example}': {{'minbucket': 3}}}}")
    for name, options in by_method.items():
        find_method(name)
        make_options(name, options)
    require_names("variable_options", list(by_variable), schema)
    for name, options in by_variable.items():
        method = methods[name]
        if not method or is_formula(method):
            raise PlanError(f"variable_options: '{name}' has no method that could take options")
        make_options(method, {**by_method.get(method, {}), **options})
    return {n: dict(o) for n, o in by_method.items()}, {n: dict(o) for n, o in by_variable.items()}


def require_names(setting: str, names: Sequence[object], schema: Schema) -> None:
    """Refuse names that are no columns."""
    for name in names:
        if name not in schema:
            raise PlanError(
                f"{setting}: unknown column '{name}'; {columns_there(str(name), schema.names)}"
            )
