"""Measuring what synthetic sets keep and what they give away."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.data import Schema, decode
from synth_tasks.disclosure import assess_average, assess_disclosure, assess_excess
from synth_tasks.ledger import Measurement, make_ledger
from synth_tasks.release.cross_fitting import synthesise_halves
from synth_tasks.release.plans import disclosure_keys, formulas
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stages import disclosure_targets
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.seeding import generator
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.control import ControlledSet, align, digests
from synth_tasks.tasks.pool import AnalysisRef, read_analysis
from synth_tasks.utility import assess_general, assess_utility


@task(name="assess set", task_run_name="assess set {number}", cache_policy=NO_CACHE)
@confidential
def assess_set(context: RunContext, controlled: ControlledSet, number: int) -> list[Measurement]:
    """Measure utility and disclosure of one set against the completed real data.

    Parameters
    ----------
    context : RunContext
        The release.
    controlled : ControlledSet
        Synthetic set and real table.
    number : int
        Number of the set.

    Returns
    -------
    list of Measurement
        Rates, ratios and counts.
    """
    workspace, seed = context.workspace(), context.seed()
    attacked = attack(context.spec, workspace.read_schema(controlled.real))

    def compute(folder: Path) -> dict[str, Any]:
        matrix, schema = workspace.read_table(controlled.real)
        table, _ = workspace.read_table(controlled.ref)
        matrix, _ = align(workspace, [controlled], matrix, [table])
        real, drawn = decode(matrix, schema), decode(table, schema)
        rng = generator(seed, "utility", number)
        found = assess_utility(real, drawn, schema, number)
        found += assess_general(real, drawn, schema, number, rng=rng)
        found += assess_disclosure(
            real,
            drawn,
            schema,
            number,
            **attacked,
            rng=generator(seed, "assessment", number),
        )
        return {"measurements": [asdict(m) for m in found]}

    inputs = [controlled.real.sha256, *digests([controlled]), str(number), str(seed)]
    settings = [context.spec.disclosure.model_dump_json(), json.dumps(attacked)]
    result, _ = workspace.run_stage("assessment", [*inputs, *settings], compute)
    return [Measurement(**item) for item in result["measurements"]]


def attack(spec: ReleaseSpec, schema: Schema) -> dict[str, Any]:
    """Return what an intruder may know and want to learn, as measures of disclosure take it."""
    return {
        "keys": disclosure_keys(spec, schema),
        "targets": disclosure_targets(spec, schema),
        "derived": list(formulas(spec.synthesis.method_by_variable)),
    }


@task(name="cross-fit", task_run_name="assess disclosure with a control", cache_policy=NO_CACHE)
@confidential
def assess_control(
    context: RunContext, completed: DatasetRef, raw: DatasetRef
) -> list[Measurement]:
    """Measure what the plan gives away about records it learns from, beyond that about others.

    Parameters
    ----------
    context : RunContext
        The release.
    completed : DatasetRef
        Real table.
    raw : DatasetRef
        The data as they arrived; their holes tell which cells were imputed.

    Returns
    -------
    list of Measurement
        Excess of disclosure figures over their control, with intervals; none if
        `disclosure.cross_fit` is false.
    """
    workspace, spec, seed = context.workspace(), context.spec, context.seed()
    if not spec.disclosure.cross_fit:
        return []

    def compute(_: Path) -> dict[str, Any]:
        matrix, schema = workspace.read_table(completed)
        arrived, raw_schema = workspace.read_table(raw)
        found = assess_excess(
            synthesise_halves(spec, schema, matrix, raw_schema.holes(arrived), seed),
            **attack(spec, schema),
            rng=generator(seed, "assessment", "excess"),
            workers=spec.run.workers,
        )
        return {"measurements": [asdict(m) for m in found]}

    settings = spec.model_dump_json(include={"synthesis", "sdc", "disclosure", "variables"})
    inputs = [completed.sha256, raw.sha256, settings, str(seed)]
    result, _ = workspace.run_stage("assessment-control", inputs, compute)
    return [Measurement(**item) for item in result["measurements"]]


@task(name="assess all sets", task_run_name="assess all sets together", cache_policy=NO_CACHE)
@confidential
def assess_together(
    context: RunContext,
    controlled: list[ControlledSet],
    by_set: list[list[Measurement]],
    with_control: list[Measurement],
    analyses: list[AnalysisRef],
) -> pd.DataFrame:
    """Measure what the sets give away together, and collect all figures in the ledger.

    Parameters
    ----------
    context : RunContext
        The release.
    controlled : list of ControlledSet
        All sets.
    by_set : list of list of Measurement
        Figures of the single sets.
    with_control : list of Measurement
        Figures of the cross-fitted halves.
    analyses : list of AnalysisRef
        Analyses, with what they say of the agreement of estimates.

    Returns
    -------
    DataFrame
        The ledger.
    """
    workspace, seed = context.workspace(), context.seed()

    def compute(folder: Path) -> dict[str, Any]:
        matrix, schema = workspace.read_table(controlled[0].real)
        tables = [workspace.read_table(each.ref)[0] for each in controlled]
        matrix, tables = align(workspace, controlled, matrix, tables)
        found = assess_average(
            decode(matrix, schema),
            [decode(table, schema) for table in tables],
            schema,
            rng=generator(seed, "assessment", 0),
        )
        return {"measurements": [asdict(m) for m in found]}

    inputs = [controlled[0].real.sha256, *digests(controlled), str(seed)]
    result, _ = workspace.run_stage("assessment-together", inputs, compute)
    together = [Measurement(**item) for item in result["measurements"]]
    agreement = [m for ref in analyses for m in read_analysis(ref).agreement]
    single = [m for measurements in by_set for m in measurements]
    return make_ledger([*single, *together, *with_control, *agreement])
