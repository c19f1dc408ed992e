"""Completing the missing cells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.engine import MultiplyImputed
from synth_tasks.engine.mice import run_plan
from synth_tasks.files import write_atomically
from synth_tasks.release.pictures import to_png
from synth_tasks.release.plans import plan_imputation
from synth_tasks.release.stages import require_complete
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.remarks import describe_events, log_remarks

# Gelman & Rubin (1992) called chains mixed below 1.2; today 1.05 or less is asked for.
MIXED = 1.05
TRACE_FILE = "imputation-trace.png"


@dataclass(frozen=True)
class CompletedData:
    """The completed data, once for each imputation.

    Parameters
    ----------
    refs : list of DatasetRef
        The tables.
    trace : str or None
        File with a picture of the chains; None if nothing had to be imputed.
    """

    refs: list[DatasetRef]
    trace: str | None


@task(
    name="impute",
    task_run_name="impute {context.spec.dataset.name}",
    cache_policy=NO_CACHE,
)
@confidential
def impute(context: RunContext, raw: DatasetRef) -> CompletedData:
    """Complete the data by chained equations.

    Parameters
    ----------
    context : RunContext
        The release.
    raw : DatasetRef
        The data as they arrived.

    Returns
    -------
    CompletedData
    """
    workspace, seed, run = context.workspace(), context.seed(), context.spec.run

    def compute(folder: Path) -> dict[str, Any]:
        matrix, schema = workspace.read_table(raw)
        plan, filled = plan_imputation(context.spec, schema, matrix)
        index = pd.RangeIndex(len(matrix))
        imputed = run_plan(plan, filled, index, seed, run.workers, None, run.executor)
        refs = []
        for number, completed in enumerate(imputed.sets, start=1):
            require_complete(completed, schema)
            file = folder / f"completed-{number}.parquet"
            refs.append(workspace.write_table(file, completed, schema))
        traced = bool(plan.incomplete) and context.stratum is None
        if traced:
            picture = to_png(imputed.plot_trace(), dpi=100)
            write_atomically(folder / TRACE_FILE, lambda file: file.write(picture))
        remarks = [*describe_events(imputed.events), *_judge_convergence(imputed)]
        return {"refs": refs, "traced": traced, "remarks": remarks}

    settings = context.spec.imputation.model_dump_json()
    result, _ = workspace.run_stage("completed", [raw.sha256, settings, str(seed)], compute)
    log_remarks(result["remarks"])
    trace = str(Path(result["folder"]) / TRACE_FILE) if result["traced"] else None
    return CompletedData(result["refs"], trace)


def _judge_convergence(imputed: MultiplyImputed) -> list[str]:
    """Say how well the chains have mixed, where there are several of them."""
    if imputed.m < 2 or not imputed.chain_variables:
        return []
    table = imputed.convergence()
    last = table[table["iteration"] == table["iteration"].max()].dropna(subset="rhat")
    if last.empty:
        return []
    worst = last.loc[last["rhat"].idxmax()]
    line = f"largest R-hat of the chains: {worst['rhat']:.2f} ({worst['variable']})"
    return [line if worst["rhat"] < MIXED else f"{line}: raise imputation.maxit"]
