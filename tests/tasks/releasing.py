"""The way of the data through the tasks of a release, without a Prefect server."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from synth_tasks.release.bundle import Published
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.tasks.assess import assess_set, assess_together
from synth_tasks.tasks.context import RunContext, prepare
from synth_tasks.tasks.impute import impute
from synth_tasks.tasks.ingest import Ingested, ingest
from synth_tasks.tasks.pool import AnalysisRef, pool_analysis
from synth_tasks.tasks.publish import publish
from synth_tasks.tasks.synthesize import draw_set, fit
from synth_tasks.tasks.validate import apply_gate, validate


@dataclass(frozen=True)
class Run:
    """Everything that the tasks of one release have returned."""

    context: RunContext
    ingested: Ingested
    completed: DatasetRef
    sets: list[DatasetRef]
    ledger: pd.DataFrame
    suites: list[SuiteResult]
    analyses: list[AnalysisRef]
    published: Published


def draw(context: RunContext) -> tuple[Ingested, DatasetRef, list[DatasetRef]]:
    """Go as far as the synthetic sets."""
    ingested = ingest.fn(context)
    completed = impute.fn(context, ingested.ref)
    synthesizer = fit.fn(context, completed)
    numbers = range(1, context.spec.synthesis.m + 1)
    return ingested, completed, [draw_set.fn(context, synthesizer, n) for n in numbers]


def make_release(spec: ReleaseSpec) -> Run:
    """Go all the way."""
    context = prepare(spec)
    ingested, completed, sets = draw(context)
    by_set = [assess_set.fn(context, completed, s, n) for n, s in enumerate(sets, start=1)]
    ledger = assess_together.fn(context, completed, sets, by_set)
    suites = [
        validate.fn(context, ingested.ref, "source", "the data as they arrived"),
        validate.fn(context, completed, "completed", "the completed data"),
        *(validate.fn(context, s, "synthetic", f"set {n}") for n, s in enumerate(sets, start=1)),
        apply_gate.fn(context, ledger),
    ]
    analyses = [pool_analysis.fn(context, completed, sets, a) for a in spec.analysis]
    published = publish.fn(context, ingested, completed, sets, ledger, suites, analyses)
    return Run(context, ingested, completed, sets, ledger, suites, analyses, published)
