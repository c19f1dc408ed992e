"""Completing the missing cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.engine.mice import run_plan
from synth_tasks.release.stages import SourceTable, plan_imputation, require_complete
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.remarks import describe_events, log_remarks


@task(
    name="impute",
    task_run_name="impute {context.spec.dataset.name}",
    cache_policy=NO_CACHE,
)
@confidential
def impute(context: RunContext, raw: DatasetRef) -> DatasetRef:
    """Complete the data by chained equations.

    Parameters
    ----------
    context : RunContext
        The release.
    raw : DatasetRef
        The data as they arrived.

    Returns
    -------
    DatasetRef
        The completed data.
    """
    workspace, seed = context.workspace(), context.secrets().seed

    def compute(folder: Path) -> dict[str, Any]:
        matrix, schema = workspace.read_table(raw)
        plan = plan_imputation(context.spec, SourceTable(matrix, schema))
        index = pd.RangeIndex(len(matrix))
        imputed = run_plan(plan, matrix, index, seed, context.spec.run.workers)
        require_complete(imputed.sets[0], schema)
        ref = workspace.write_table(folder / "completed.parquet", imputed.sets[0], schema)
        return {"ref": ref, "remarks": describe_events(imputed.events)}

    settings = context.spec.imputation.model_dump_json()
    result, _ = workspace.run_stage("completed", [raw.sha256, settings, str(seed)], compute)
    log_remarks(result["remarks"])
    return result["ref"]
