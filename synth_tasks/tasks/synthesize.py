"""Fitting the synthesizer once and drawing synthetic sets from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.engine import fit_synthesizer, make_portable
from synth_tasks.release.plans import plan_synthesis
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.remarks import describe_events, log_remarks


@task(
    name="fit synthesizer",
    task_run_name="fit synthesizer of {context.spec.dataset.name}",
    cache_policy=NO_CACHE,
)
@confidential
def fit(context: RunContext, completed: DatasetRef, raw: DatasetRef) -> DatasetRef:
    """Fit the models of all variables on the completed data.

    Parameters
    ----------
    context : RunContext
        The release.
    completed : DatasetRef
        The completed data.
    raw : DatasetRef
        The data as they arrived; their holes tell which cells were imputed.

    Returns
    -------
    DatasetRef
        The fitted synthesizer. Unless `synthesis.donor_free` is set it holds donors; the file stays in
        the workspace.
    """
    workspace = context.workspace()

    def compute(folder: Path) -> dict[str, Any]:
        matrix, schema = workspace.read_table(completed)
        plan = plan_synthesis(context.spec, schema, matrix)
        arrived, raw_schema = workspace.read_table(raw)
        imputed = raw_schema.holes(arrived)
        donor_free = context.spec.synthesis.donor_free
        fitted = fit_synthesizer(
            plan,
            matrix,
            context.spec.run.workers,
            imputed=imputed,
            only_observed=donor_free,
        )
        drawn_from = make_portable(fitted) if donor_free else fitted
        ref = workspace.write_object(folder / "synthesizer.pickle", drawn_from)
        return {"ref": ref, "remarks": describe_events([*plan.events, *fitted.events])}

    settings = context.spec.synthesis.model_dump_json()
    result, _ = workspace.run_stage(
        "synthesizer", [completed.sha256, raw.sha256, settings], compute
    )
    log_remarks(result["remarks"])
    return result["ref"]


@task(name="draw set", task_run_name="draw set {number}", cache_policy=NO_CACHE)
@confidential
def draw_set(
    context: RunContext,
    synthesizer: DatasetRef,
    imputation: int,
    number: int,
    rows: int | None = None,
) -> DatasetRef:
    """Draw one synthetic set.

    Parameters
    ----------
    context : RunContext
        The release.
    synthesizer : DatasetRef
        From `fit`.
    imputation : int
        Number of the completed data set that the synthesizer learnt from.
    number : int
        Number of the set, counted through all of them.
    rows : int, optional
        Rows to draw in a stratum.

    Returns
    -------
    DatasetRef
        The set, rows in source order: still confidential.
    """
    workspace, seed = context.workspace(), context.secrets().seed

    def compute(folder: Path) -> dict[str, Any]:
        fitted = workspace.read_object(synthesizer)
        nth = number - (imputation - 1) * context.spec.synthesis.m
        if context.stratum is None:
            matrix = fitted.draw(seed, nth, imputation)
        else:
            matrix = fitted.draw(seed, nth, imputation, k=rows, stratum=context.stratum)
        ref = workspace.write_table(folder / "set.parquet", matrix, fitted.plan.schema)
        return {"ref": ref}

    inputs = [synthesizer.sha256, str(imputation), str(number), str(seed)]
    if context.stratum is not None:
        inputs += [str(context.stratum), str(rows)]
    result, _ = workspace.run_stage("set", inputs, compute)
    return result["ref"]
