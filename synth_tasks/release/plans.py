"""What a specification asks of the engine, as plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np

from synth_tasks.data import Schema
from synth_tasks.engine import ImputationPlan, Provenance, make_plan, plan_and_fill
from synth_tasks.engine.imputed import make_provenance
from synth_tasks.engine.passive import evaluate_condition
from synth_tasks.engine.plan import is_formula
from synth_tasks.engine.portable.export import EXPORTABLE
from synth_tasks.engine.portable.make import require_exportable
from synth_tasks.errors import SpecError, SynthError
from synth_tasks.expressions import Expression
from synth_tasks.release.predictor_entries import predictor_entries
from synth_tasks.release.required import require_columns
from synth_tasks.release.sections import ModelsSpec, SynthesisSpec
from synth_tasks.release.spec import ReleaseSpec

DEFAULT_KEYS = 3


def plan_imputation(
    spec: ReleaseSpec, schema: Schema, matrix: np.ndarray
) -> tuple[ImputationPlan, np.ndarray]:
    """Plan the completion of the missing cells.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    schema : Schema
        The variables.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data as they arrived.

    Returns
    -------
    plan : ImputationPlan
    matrix : ndarray of shape (n_rows, n_variables)
        Data with holes filled that follow from other columns.
    """
    s = spec.imputation
    holes = schema.holes(matrix)
    if s.m > 1 and not holes.any():
        raise SpecError(f"imputation.m is {s.m}, but the data have no missing value: set it to 1")
    try:
        return plan_and_fill(
            matrix,
            schema,
            m=s.m,
            maxit=s.maxit,
            method=s.method or None,
            **_model_settings(s, schema, matrix, np.asarray(holes.any(axis=0))),
        )
    except SynthError as error:
        _blame("imputation", error)


def plan_synthesis(spec: ReleaseSpec, schema: Schema, matrix: np.ndarray) -> ImputationPlan:
    """Plan the replacement of the cells of completed data; arguments as `plan_imputation`."""
    s = spec.synthesis
    require_columns("synthesis.method_by_variable", list(s.method_by_variable), schema)
    require_columns("synthesis.keep", s.keep, schema)
    for name, method in s.method_by_variable.items():
        if not method.strip():
            raise SpecError(
                f"synthesis.method_by_variable: '{name}' has no method: give it one, drop the column "
                "(dataset.drop), or name it in synthesis.keep to publish it as it is"
            )
    partial = [key for key in ("keep", "rows") if getattr(s, key)]
    for key in ("k", "donor_free"):
        if partial and getattr(s, key):
            raise SpecError(
                f"synthesis.{key} needs all cells to be replaced: leave out synthesis.{partial[0]}"
            )
    try:
        cells = _cells(spec, schema, matrix)
        if not cells.any():
            raise SpecError(
                "no cell is replaced, so the real data would be published: change synthesis.keep or "
                "synthesis.rows"
            )
        settings = _synthesis_settings(s, schema, matrix)
        plan, _ = plan_and_fill(
            matrix,
            schema,
            where=cells,
            k=s.k,
            strata=s.strata,
            min_stratum_size=s.min_stratum_size,
            **settings,
        )
    except SynthError as error:
        _blame("synthesis", error)
    if s.donor_free:
        _require_donor_free(plan)
    return plan


def plan_all_strata(spec: ReleaseSpec, schema: Schema) -> ImputationPlan:
    """Plan what holds for all strata of a table in parts: what follows without a row of the data.

    Left out is what rows of one stratum decide there: which predictors are chosen
    (`ModelsSpec.chooses_predictors`), so that all are allowed that may be chosen, which columns say the
    same, and in which rows cells are replaced.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    schema : Schema
        The variables.

    Returns
    -------
    ImputationPlan
        Of one row that stands for all; with `strata`, the columns that divide the table.
    """
    s, shape = spec.synthesis, (1, len(schema))
    stated = {"quick_predictors": None, "max_predictors": None, "ignore": None}
    settings = _synthesis_settings(s.model_copy(update=stated), schema, np.zeros(shape))
    cells = np.array([[name not in s.keep for name in schema.names]])
    try:
        plan = make_plan(schema, np.zeros(shape, dtype=bool), where=cells, **settings)
    except SynthError as error:
        _blame("synthesis", error)
    return replace(plan, strata=tuple(s.strata))


def _synthesis_settings(s: SynthesisSpec, schema: Schema, matrix: np.ndarray) -> dict[str, Any]:
    """Return the arguments of `make_plan` that do not depend on which cells are replaced."""
    methods = dict.fromkeys(schema.names, s.method) | s.method_by_variable
    return {
        "m": s.m,
        "maxit": 1,
        "method": methods | dict.fromkeys(s.keep, ""),
        "conditioning": s.conditioning,
        "smoothing": s.smoothing,
        "tail_support": s.tail_support,
        **_model_settings(s, schema, matrix, np.ones(len(schema), dtype=bool)),
    }


def _require_donor_free(plan: ImputationPlan) -> None:
    """Refuse what cannot be drawn without donors, before anything is fitted."""
    try:
        require_exportable(plan)
    except SynthError as error:
        _blame("synthesis.donor_free", error)
    methods = plan.effective_methods()
    for name in plan.drawn:
        if methods[name] not in EXPORTABLE:
            raise SpecError(
                f"synthesis.donor_free: method '{methods[name]}' of '{name}' draws from donors; use "
                f"{', '.join(EXPORTABLE)}"
            )
    if plan.proper:
        raise SpecError(
            "synthesis.donor_free: models fitted anew for every set need the data: set "
            "synthesis.proper to false"
        )


def provenance_of(spec: ReleaseSpec, plan: ImputationPlan) -> Provenance:
    """Record how the published sets came about, for whoever pools them."""
    provenance = make_provenance(plan, has_missing=False)
    if spec.imputation.m == 1:
        return provenance
    return replace(
        provenance, stage="imputation and synthesis", m=spec.imputation.m, r=spec.synthesis.m
    )


def disclosure_keys(spec: ReleaseSpec, schema: Schema) -> list[str]:
    """Return the quasi-identifiers: those of the spec, or the first three that are not passive."""
    if spec.disclosure.key_variables:
        return list(spec.disclosure.key_variables)
    derived = formulas(spec.synthesis.method_by_variable)
    return [name for name in schema.names if name not in derived][:DEFAULT_KEYS]


def formulas(methods: Mapping[str, str] | str) -> dict[str, str]:
    """Return the passive variables among the methods of a section."""
    if isinstance(methods, str):
        return {}
    return {name: text for name, text in methods.items() if is_formula(text)}


def _cells(spec: ReleaseSpec, schema: Schema, matrix: np.ndarray) -> np.ndarray:
    """Mark the cells to be replaced: all, but for kept columns and rows that no condition names."""
    where = np.ones(matrix.shape, dtype=bool)
    where[:, [schema.position(name) for name in spec.synthesis.keep]] = False
    if spec.synthesis.rows is not None:
        where &= _rows("rows", spec.synthesis.rows, schema, matrix)[:, None]
    return where


def _model_settings(
    s: ModelsSpec, schema: Schema, matrix: np.ndarray, targets: np.ndarray
) -> dict[str, Any]:
    return {
        "predictor_matrix": predictor_entries(s, schema, matrix, targets),
        "formulas": s.formulas,
        "visit_sequence": s.visit_sequence,
        "post": s.post,
        "rules": s.rules,
        "ignore": None if s.ignore is None else _rows("ignore", s.ignore, schema, matrix),
        "proper": s.proper,
        "method_options": s.options,
        "variable_options": s.variable_options,
    }


def _rows(setting: str, text: str, schema: Schema, matrix: np.ndarray) -> np.ndarray:
    """Return the rows for which a condition holds; with a missing value no comparison does."""
    condition = Expression(text, origin=setting)
    condition.require_columns(schema.names)
    condition.require_condition()
    return evaluate_condition(condition, schema, matrix)


def _blame(section: str, error: SynthError) -> NoReturn:
    """Say in which section of the specification the error lies."""
    raise type(error)(f"{section}: {error}") from None
