"""The way of the data through the tasks of a release, without a Prefect server."""

from __future__ import annotations

from dataclasses import dataclass

from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stores import Published
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.tasks.assess import assess_control, assess_set, assess_together
from synth_tasks.tasks.context import RunContext, prepare
from synth_tasks.tasks.control import control_set
from synth_tasks.tasks.impute import CompletedData, impute
from synth_tasks.tasks.ingest import Ingested, ingest
from synth_tasks.tasks.made import MadeTable
from synth_tasks.tasks.pool import pool_analysis
from synth_tasks.tasks.publish import publish
from synth_tasks.tasks.synthesize import draw_set, fit
from synth_tasks.tasks.validate import apply_gate, validate


@dataclass(frozen=True)
class Run:
    """Everything that the tasks of one release have returned."""

    context: RunContext
    made: MadeTable
    sets: list[DatasetRef]
    published: Published


def draw(
    context: RunContext,
) -> tuple[Ingested, CompletedData, list[DatasetRef], list[DatasetRef]]:
    """Go as far as the synthetic sets: return data, completed data, synthesizers and sets."""
    ingested = ingest.fn(context)
    completed = impute.fn(context, ingested.ref)
    fitted = [fit.fn(context, ref, ingested.ref) for ref in completed.refs]
    sets: list[DatasetRef] = []
    for imputation, synthesizer in enumerate(fitted, start=1):
        for _ in range(context.spec.synthesis.m):
            sets.append(draw_set.fn(context, synthesizer, imputation, len(sets) + 1))
    return ingested, completed, fitted, sets


def make_release(spec: ReleaseSpec) -> Run:
    """Go all the way."""
    context = prepare(spec)
    ingested, completed, fitted, sets = draw(context)
    real = [ref for ref in completed.refs for _ in range(spec.synthesis.m)]
    made_by = [ref for ref in fitted for _ in range(spec.synthesis.m)]
    controlled = [
        control_set.fn(context, r, f, 1 + (n - 1) // spec.synthesis.m, n, s)
        for n, (r, f, s) in enumerate(zip(real, made_by, sets, strict=True), start=1)
    ]
    sets = [each.ref for each in controlled]
    analyses = [pool_analysis.fn(context, completed.refs, sets, a) for a in spec.analysis]
    by_set = [assess_set.fn(context, each, n) for n, each in enumerate(controlled, start=1)]
    with_control = assess_control.fn(context, completed.refs[0], ingested.ref)
    ledger = assess_together.fn(context, controlled, by_set, with_control, analyses)
    suites = [
        validate.fn(context, ingested.ref, "source", "the data as they arrived"),
        *(validate.fn(context, r, "completed", "the completed data") for r in completed.refs),
        *(validate.fn(context, s, "synthetic", f"set {n}") for n, s in enumerate(sets, start=1)),
        apply_gate.fn(context, ledger),
    ]
    made = MadeTable(ingested, completed, fitted, controlled, ledger, suites, analyses)
    return Run(context, made, sets, publish.fn(context, made))
