"""Making a synthesizer that can be shared: it draws alike, and holds no row of the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synth_tasks.engine.plan import ImputationPlan
from synth_tasks.engine.portable.export import Exported, export_model
from synth_tasks.engine.predictors import PlainColumns
from synth_tasks.engine.strata import Strata
from synth_tasks.engine.synthesizer import (
    AnySynthesizer,
    StratifiedSynthesizer,
    SynthesisStep,
    Synthesizer,
)
from synth_tasks.errors import PlanError

SHARE_UNITS = 100


def make_portable(synthesizer: AnySynthesizer) -> AnySynthesizer:
    """Return a synthesizer of the same class whose models hold no value of a person.

    Parametric models keep their parameters. Donors are replaced: numbers by smoothed quantile functions
    through means of at least three people, categories by shares (see `Quantiles` and `Shares`).
    Smoothing is superseded by this; tails keep the support that was asked for. A value shared by three
    or more people of a group may stay as it is. What is left are statistics of groups of at least three
    people, without noise: they are no formal guarantee of privacy. A mean of three people also tells
    about one who has nearly all of the sum; top-code such a variable before it is fitted.

    Also what the user wrote stays: labels of categories, spikes, formulas and rules.

    Parameters
    ----------
    synthesizer : Synthesizer or StratifiedSynthesizer
        Fitted with all cells replaced, ``conditioning="synthetic"`` and without bootstrap. If some
        cells of the data were imputed, also with ``only_observed``: an imputation may repeat one
        person's value, and a group of three rows would be that person alone.

    Returns
    -------
    Synthesizer or StratifiedSynthesizer
    """
    plan = synthesizer.plan
    require_exportable(plan)
    trivial = empty_plan(plan, plan.k)
    if isinstance(synthesizer, Synthesizer):
        return Synthesizer(trivial, no_cells(plan), _export_steps(synthesizer))
    part = replace(trivial, strata=())
    return StratifiedSynthesizer(
        trivial,
        no_cells(plan),
        _blur(synthesizer.strata),
        tuple(
            Synthesizer(part, no_cells(plan), _export_steps(s)) for s in synthesizer.synthesizers
        ),
    )


def empty_plan(plan: ImputationPlan, n_rows: int) -> ImputationPlan:
    """Return the plan for as many rows, of which all cells are to be drawn and nothing is known."""
    shape = (n_rows, len(plan.schema))
    return replace(
        plan,
        where=np.broadcast_to(True, shape),
        missing=np.broadcast_to(False, shape),
        ignore=np.broadcast_to(False, (n_rows,)),
        events=(),
    )


def no_cells(plan: ImputationPlan) -> np.ndarray:
    """Return the matrix of a synthesizer that keeps no cell; it takes no memory."""
    return np.broadcast_to(np.nan, (plan.k, len(plan.schema)))


def sized_strata(sizes: np.ndarray) -> Strata:
    """Return strata of the sizes given, one after the other."""
    return Strata(np.repeat(np.arange(len(sizes)), sizes))


def require_exportable(plan: ImputationPlan) -> None:
    """Refuse a synthesis that draws given real cells."""
    if plan.conditioning != "synthetic":
        raise PlanError(
            'a synthesizer with conditioning="observed" draws given real rows and cannot be exported: '
            'set conditioning to "synthetic"'
        )
    if not plan.replaced.all():
        kept = [v.name for v in plan.schema if not plan.column(plan.replaced, v.name).all()]
        raise PlanError(
            f"a synthesizer that keeps real cells, as of '{kept[0]}', cannot be exported: give every "
            'variable a method and set where to "all"'
        )
    if plan.formulas:
        raise PlanError(
            f"formulas of '{next(iter(plan.formulas))}' cannot be exported: name its predictors in "
            "predictor_matrix instead, and use passive variables for transformations"
        )


def _export_steps(synthesizer: Synthesizer) -> tuple[SynthesisStep, ...]:
    return tuple(_export_step(synthesizer.plan, step) for step in synthesizer.steps)


def _export_step(plan: ImputationPlan, step: SynthesisStep) -> SynthesisStep:
    method, fitted = plan.methods[step.name], step.fitted
    if fitted is None:
        raise PlanError(
            f"method '{method}' of '{step.name}' is fitted anew on real rows for every set: set proper "
            "to false, or use a method that draws its parameters"
        )
    if not isinstance(fitted.columns, PlainColumns):
        raise PlanError(
            f"the predictor columns of '{step.name}' cannot be exported: name its predictors in "
            "predictor_matrix instead"
        )
    of = Exported(plan.schema[step.name], fitted.columns.described, method)
    return replace(step, fitted=replace(fitted, model=export_model(fitted.model, of)))


def _blur(strata: Strata) -> Strata:
    """Return strata of nearly the same shares; who is in which is not told."""
    return sized_strata(np.maximum(1, np.rint(strata.shares * SHARE_UNITS).astype(int)))
