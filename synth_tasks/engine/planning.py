"""Making a plan: resolving the arguments of `mice` and checking that they can work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.data import Label, Schema
from synth_tasks.engine import resolving
from synth_tasks.engine.passive import PassiveVariables
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent, is_formula
from synth_tasks.engine.redundancy import Derivation, Twins, find_twins
from synth_tasks.engine.refinement import is_refined
from synth_tasks.errors import PlanError

DERIVED_METHOD = "derived"


def make_plan(
    schema: Schema,
    missing: np.ndarray,
    *,
    m: int = 5,
    r: int = 1,
    maxit: int = 5,
    method: str | Sequence[str] | Mapping[str, str] | None = None,
    predictor_matrix: pd.DataFrame | Mapping[str, Mapping[str, int]] | None = None,
    formulas: Mapping[str, str] | None = None,
    where: str | pd.DataFrame | np.ndarray = "missing",
    visit_sequence: str | Sequence[str] = "roman",
    post: Mapping[str, str] | None = None,
    rules: Mapping[str, Mapping[str, Label | None]] | None = None,
    ignore: Sequence[bool] | np.ndarray | None = None,
    conditioning: str = "synthetic",
    proper: bool = False,
    k: int | None = None,
    strata: str | Sequence[str] | None = None,
    min_stratum_size: int | None = None,
    smoothing: str | Mapping[str, str] | None = None,
    tail_support: int = 1,
    method_options: Mapping[str, Mapping[str, Any]] | None = None,
    variable_options: Mapping[str, Mapping[str, Any]] | None = None,
) -> ImputationPlan:
    """Resolve and check the arguments of `mice`, which documents them.

    Parameters
    ----------
    schema : Schema
        All variables.
    missing : ndarray of bool of shape (n_rows, n_variables)
        Cells without a value.
    m, r, maxit, method, predictor_matrix, formulas, where, visit_sequence, post : see `mice`
    rules, ignore, conditioning, proper, k, strata, min_stratum_size, smoothing : see `mice`
    tail_support, method_options, variable_options : see `mice`

    Returns
    -------
    ImputationPlan

    Raises
    ------
    PlanError
        If the set-up cannot work; the message names the setting and the remedy.
    """
    for name, number in (("m", m), ("r", r), ("maxit", maxit), ("tail_support", tail_support)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise PlanError(f"{name} must be a whole number of 1 or more")
    if conditioning not in ("synthetic", "observed"):
        raise PlanError("conditioning must be 'synthetic' or 'observed'")
    mask = resolving.resolve_where(where, missing, schema)
    methods = resolving.resolve_methods(method, schema, mask)
    mask = mask & np.array([bool(methods[name]) for name in schema.names])
    events: list[LoggedEvent] = []
    passive = PassiveVariables({n: t for n, t in methods.items() if is_formula(t)}, schema)
    mask = resolving.extend_to_passive(mask, missing, passive, events)
    allowed = resolving.resolve_predictors(predictor_matrix, schema)
    texts = resolving.resolve_formulas(formulas, allowed, methods, schema)
    predictors = resolving.clean_predictors(allowed, methods, passive, missing, schema, events)
    visits = resolving.resolve_visits(visit_sequence, schema, mask, methods)
    options, own_options = resolving.resolve_options(
        method_options, variable_options, methods, schema
    )
    names, min_size = resolving.resolve_strata(strata, min_stratum_size, schema)
    plan = ImputationPlan(
        schema=schema,
        m=m,
        r=r,
        maxit=maxit,
        methods=methods,
        predictors=predictors,
        formulas=texts,
        visit_sequence=visits,
        where=mask,
        missing=missing,
        post=resolving.resolve_post(post, schema, methods),
        rules=resolving.resolve_rules(rules, methods, schema),
        ignore=resolving.resolve_ignore(ignore, len(missing)),
        conditioning=conditioning,  # type: ignore[arg-type]
        proper=bool(proper),
        k=resolving.resolve_k(k, mask, conditioning),
        strata=names,
        min_stratum_size=min_size,
        smoothing=resolving.resolve_smoothing(smoothing, schema),
        tail_support=tail_support,
        options=options,
        variable_options=own_options,
    )
    idle = [name for name in plan.rules if name not in plan.visit_sequence]
    events += [
        LoggedEvent(name, "its rules have no effect: it has no cell to fill") for name in idle
    ]
    plan = replace(plan, events=tuple(events))
    _check_donors(plan)
    _check_stages(plan)
    _check_refinement(plan, smoothing)
    _check_formulas(plan)
    _check_order(plan)
    return plan


def plan_and_fill(
    matrix: np.ndarray, schema: Schema, **settings: Any
) -> tuple[ImputationPlan, np.ndarray]:
    """Plan for data with regard to columns that say the same.

    Holes of one are filled from the other where that is observed, and the later of the two is derived
    from the earlier.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data.
    schema : Schema
        Its description.
    **settings
        Arguments of `make_plan`.

    Returns
    -------
    plan : ImputationPlan
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data, perhaps with fewer holes.
    """
    plan = make_plan(schema, schema.holes(matrix), **settings)
    twins = find_twins(matrix, schema)
    filled = _fill_from_twins(plan, matrix, twins)
    settled = np.isnan(matrix) & ~np.isnan(filled)
    if settled.any():
        plan = _without_settled(plan, settled)
    return _derive_twins(plan, twins), filled


def _fill_from_twins(
    plan: ImputationPlan, matrix: np.ndarray, twins: Sequence[Twins]
) -> np.ndarray:
    """Fill holes of one column where its twin is observed, also through a third one."""
    pairs = [
        (target, source, pair.relation_to(target))
        for pair in twins
        for target, source in ((pair.second, pair.first), (pair.first, pair.second))
        if _may_follow(plan, target, source)
    ]
    if not pairs:
        return matrix
    filled, position = matrix.copy(order="F"), plan.schema.position
    for _ in twins:  # what is filled in one round may fill another column in the next
        for target, source, relation in pairs:
            own, other = filled[:, position(target)], filled[:, position(source)]
            rows = plan.column(plan.where, target) & np.isnan(own) & ~np.isnan(other)
            own[rows] = plan.schema[target].round(relation.apply(other[rows]))
    return filled


def _may_follow(plan: ImputationPlan, target: str, source: str) -> bool:
    """Whether nothing that the user stated speaks against computing one column from another."""
    method = plan.methods[target]
    stated = target in plan.post or target in plan.rules or target in plan.formulas
    allowed = source in plan.predictors[target]
    return bool(method) and not is_formula(method) and not stated and allowed


def _without_settled(plan: ImputationPlan, settled: np.ndarray) -> ImputationPlan:
    """Take holes that were filled for observed cells."""
    # In an imputation they are done; a synthesis replaces them like other observed ones.
    where = plan.where if plan.synthesises else plan.where & ~settled
    counts = zip(plan.schema.names, settled.sum(axis=0), strict=True)
    events = [
        LoggedEvent(name, f"{count} holes filled from a column that says the same")
        for name, count in counts
        if count
    ]
    return replace(
        plan,
        missing=plan.missing & ~settled,
        where=where,
        visit_sequence=tuple(n for n in plan.visit_sequence if plan.column(where, n).any()),
        events=(*plan.events, *events),
    )


def _derive_twins(plan: ImputationPlan, twins: Sequence[Twins]) -> ImputationPlan:
    """Compute the later of two columns that say the same, where both are filled in together."""
    if plan.synthesises and plan.conditioning == "observed":
        return plan  # what is derived from a real value is that real value
    visits = plan.visit_sequence
    pairs = [pair for pair in twins if {pair.first, pair.second} <= {*visits}]
    derived: dict[str, Derivation] = {}
    # From the first visited on, so that of three columns two follow from the same one.
    for source in visits:
        for pair in pairs:
            if source not in (pair.first, pair.second) or source in derived:
                continue
            target = pair.second if source == pair.first else pair.first
            together = (plan.column(plan.where, source) == plan.column(plan.where, target)).all()
            later = visits.index(target) > visits.index(source)
            free = not is_formula(plan.methods[source]) and target not in plan.variable_options
            new = together and later and free and target not in derived
            if new and _may_follow(plan, target, source):
                derived[target] = Derivation(source, pair.relation_to(target))
    predictors = {
        name: (derived[name].source,)
        if name in derived
        else tuple(p for p in row if p not in derived or derived[p].source != name)
        for name, row in plan.predictors.items()
    }
    events = [
        LoggedEvent(name, f"derived from '{d.source}', which says the same")
        for name, d in derived.items()
    ]
    return replace(
        plan,
        methods={**plan.methods, **dict.fromkeys(derived, DERIVED_METHOD)},
        predictors=predictors,
        derived=derived,
        events=(*plan.events, *events),
    )


def _check_donors(plan: ImputationPlan) -> None:
    for name in plan.visit_sequence:
        usable = ~plan.column(plan.missing, name) & ~plan.ignore
        if not usable.any() and not is_formula(plan.methods[name]):
            raise PlanError(
                f"column '{name}' has no observed value to learn from: drop it or give it a formula"
            )


def _check_stages(plan: ImputationPlan) -> None:
    """Refuse settings of a synthesis where there is none, and r where there is one stage."""
    if plan.r > 1 and not (plan.synthesises and plan.incomplete):
        raise PlanError(
            "r counts the syntheses of each imputation, but the data are not both incomplete and "
            "synthesised: set m instead"
        )
    if not plan.synthesises:
        if plan.strata:
            raise PlanError(
                "strata divide a synthesis, but no observed cell is replaced: leave them out"
            )
        if plan.smoothing or plan.tail_support > 1:
            raise PlanError(
                "smoothing and tail_support change synthetic values, but no observed cell is replaced: "
                "leave them out"
            )
    if plan.strata and plan.conditioning == "observed":
        raise PlanError(
            "strata and conditioning='observed' exclude each other: leave one of them out"
        )
    if not plan.replaced.all():
        for name in plan.strata:
            if plan.column(plan.replaced, name).any():
                raise PlanError(
                    f"strata: '{name}' is replaced itself, in a synthesis that keeps other cells: keep "
                    "it too, or replace all cells"
                )


def _check_refinement(plan: ImputationPlan, smoothing: str | Mapping[str, str] | None) -> None:
    """Refuse smoothing of a variable whose values are not those of donors."""
    if not isinstance(smoothing, Mapping):
        return
    effective = replace(plan, methods=plan.effective_methods())
    for name in plan.smoothing:
        if name in plan.drawn and not is_refined(effective, name):
            raise PlanError(
                f"smoothing: method '{plan.methods[name]}' of '{name}' draws no values of donors: "
                "leave the variable out"
            )


def _check_formulas(plan: ImputationPlan) -> None:
    """Refuse formulas that would read a cell that never holds a value."""
    left_missing = [n for n in plan.schema.names if not plan.methods[n]]
    read_by = {
        expression.origin: (name, expression.names)
        for name, expression in {**plan.passive.expressions, **plan.post_expressions}.items()
    }
    read_by |= {f"rules of '{name}'": (name, plan.ruled.reads(name)) for name in plan.rules}
    for origin, (name, names) in read_by.items():
        # Rules are asked of the rows to learn from, too.
        rows = plan.column(plan.missing | plan.where, name) | (name in plan.rules)
        for read in sorted(names.intersection(left_missing)):
            if (plan.column(plan.missing, read) & rows).any():
                raise PlanError(
                    f"{origin} reads '{read}', whose missing values stay: give it a method"
                )


def _check_order(plan: ImputationPlan) -> None:
    """Refuse rules and post-processing that read what is drawn later."""
    if plan.synthesises:
        kept = [name for name in plan.schema.names if not plan.column(plan.replaced, name).any()]
        _require_earlier(plan, "post", kept, plan.drawn)
        _require_earlier(plan, "rules", kept, plan.drawn)
    if plan.incomplete:
        whole = [name for name in plan.schema.names if not plan.column(plan.missing, name).any()]
        visited = [name for name in plan.incomplete if not is_formula(plan.methods[name])]
        # A rule must hold when the sweep is over; post-processing may read an earlier draw.
        _require_earlier(plan, "rules", whole, visited)


def _require_earlier(
    plan: ImputationPlan, setting: str, done: Sequence[str], visits: Sequence[str]
) -> None:
    settled = list(done)
    for name in visits:
        if setting == "rules":
            reads = plan.ruled.reads(name)
        else:
            expression = plan.post_expressions.get(name)
            reads = expression.names - {name} if expression else frozenset()
        later = sorted(reads - {*settled, *plan.passive.ready(settled)})
        if later:
            raise PlanError(
                f"{setting} of '{name}' reads '{later[0]}', which is drawn later: visit it earlier"
            )
        settled.append(name)
