"""Comparing settings by their risk and their utility."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from synth_tasks.release import pictures
from synth_tasks.release.report import FrontierContent, judge_frontier, render_frontier
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.study.files import write_files
from synth_tasks.study.frontier import measure_setting, recommend
from synth_tasks.study.settings import Setting
from synth_tasks.tasks.artifacts import artifact_key, embed_picture
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext

REPORT = "report.html"
SHOWN = (
    "number", "setting", "recommended", "valid", "risk", "interval_overlap", "coverage_loss",
    "mean_std_bias", "spmse_pair_max",
)  # fmt: skip


@task(name="measure setting", task_run_name="measure setting {setting.number}",
      cache_policy=NO_CACHE)  # fmt: skip
@confidential
def measure(context: RunContext, population: DatasetRef, setting: Setting) -> dict[str, float]:
    """Measure what a setting gives away and what it keeps.

    Parameters
    ----------
    context : RunContext
        The release.
    population : DatasetRef
        Complete data.
    setting : Setting
        What differs from the specification.

    Returns
    -------
    dict
        Rates and ratios.
    """
    workspace, spec, seed = context.workspace(), context.spec, context.secrets().seed

    def compute(_: Path) -> dict[str, Any]:
        matrix, schema = workspace.read_table(population)
        return {"figures": measure_setting(spec, setting, schema, matrix, seed)}

    parts = {"synthesis", "analysis", "variables", "pooling", "disclosure", "frontier", "sdc"}
    settings = spec.model_dump_json(include=parts)
    own = json.dumps(dict(setting.values), sort_keys=True)
    inputs = [population.sha256, settings, own, str(seed)]
    result, _ = workspace.run_stage("setting", inputs, compute)
    return result["figures"]


@task(name="draw frontier", task_run_name="draw the frontier of {context.spec.dataset.name}",
      cache_policy=NO_CACHE)  # fmt: skip
@confidential
def draw_frontier(
    context: RunContext, settings: list[Setting], figures: list[dict[str, float]], folder: str
) -> str:
    """Compare the settings, write the results and show them.

    Parameters
    ----------
    context : RunContext
        The release.
    settings : list of Setting
        What was compared.
    figures : list of dict
        From `measure`.
    folder : str
        Where the results are written.

    Returns
    -------
    str
        What is recommended, in one sentence.
    """
    spec, public = context.spec, context.secrets().public
    rows = [
        {"number": s.number, "setting": s.label, **found}
        for s, found in zip(settings, figures, strict=True)
    ]
    table = recommend(pd.DataFrame(rows), spec.frontier.tolerance)
    content = FrontierContent(
        name=spec.dataset.name,
        title=spec.dataset.title,
        table=table,
        replicates=spec.frontier.replicates,
        tolerance=spec.frontier.tolerance,
        private=not public,
    )
    write_files(Path(folder), {"frontier.parquet": table}, {REPORT: render_frontier(content)})
    sentence = judge_frontier(table).sentence
    _show(context, table, Path(folder), sentence)
    return sentence


def _show(context: RunContext, table: pd.DataFrame, folder: Path, sentence: str) -> None:
    spec = context.spec
    rows = table[list(SHOWN)].round(4).to_dict("records")
    create_table_artifact(
        rows,
        key=artifact_key(spec, "settings"),
        description=f"{len(rows)} settings. Risk: rows that copy a person on the key variables.",
    )
    picture = pictures.to_png(pictures.frontier(table), dpi=100)
    create_markdown_artifact(
        f"# Risk and utility of {spec.dataset.title or spec.dataset.name}\n\n{sentence}\n\n"
        f"Report: [{REPORT}]({(folder / REPORT).as_uri()})\n\n"
        f"{embed_picture(picture, 'risk against utility of settings')}\n",
        key=artifact_key(spec, "frontier"),
        description=sentence,
    )
