"""Comparing settings by their risk and their utility."""

from __future__ import annotations

import json
import time
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
from synth_tasks.tasks.chunks import MOST_CHUNKS, chunk_size
from synth_tasks.tasks.context import RunContext

REPORT = "report.html"
SHOWN = (
    "number", "setting", "recommended", "valid", "risk", "interval_overlap", "coverage_loss",
    "mean_std_bias", "spmse_pair_max",
)  # fmt: skip


@task(name="plan frontier", task_run_name="plan frontier of {context.spec.dataset.name}",
      cache_policy=NO_CACHE)  # fmt: skip
@confidential
def plan_frontier(
    context: RunContext, population: DatasetRef, settings: list[Setting]
) -> list[list[Setting]]:
    """Divide the settings into chunks, judged by the time that the first one takes.

    A task in a thread costs so little that each setting is one there.

    Parameters
    ----------
    context : RunContext
        The release.
    population : DatasetRef
        Complete data.
    settings : list of Setting
        All of them.

    Returns
    -------
    list of list of Setting
        The figures of the first one are kept for `measure`.
    """
    run = context.spec.run
    if run.runner == "threads" and len(settings) <= MOST_CHUNKS:
        return [[setting] for setting in settings]

    def compute(_: Path) -> dict[str, Any]:
        started = time.perf_counter()
        _measure(context, population, settings[0])
        return {"seconds": time.perf_counter() - started}

    inputs = _inputs(context, population, settings[0])
    result, _ = context.workspace().run_stage("frontier-pilot", inputs, compute)
    size = chunk_size(len(settings), result["seconds"], run.runner, run.workers)
    return [settings[i : i + size] for i in range(0, len(settings), size)]


@task(name="measure settings", cache_policy=NO_CACHE)
@confidential
def measure(
    context: RunContext, population: DatasetRef, settings: list[Setting]
) -> list[dict[str, float]]:
    """Measure what settings give away and what they keep.

    Parameters
    ----------
    context : RunContext
        The release.
    population : DatasetRef
        Complete data.
    settings : list of Setting
        A chunk: what differs from the specification.

    Returns
    -------
    list of dict
        Rates and ratios.
    """
    return [_measure(context, population, setting) for setting in settings]


def _measure(context: RunContext, population: DatasetRef, setting: Setting) -> dict[str, float]:
    workspace, spec, seed = context.workspace(), context.spec, context.secrets().seed

    def compute(_: Path) -> dict[str, Any]:
        matrix, schema = workspace.read_table(population)
        return {"figures": measure_setting(spec, setting, schema, matrix, seed)}

    result, _ = workspace.run_stage("setting", _inputs(context, population, setting), compute)
    return result["figures"]


def _inputs(context: RunContext, population: DatasetRef, setting: Setting) -> list[str]:
    parts = {"synthesis", "analysis", "variables", "pooling", "disclosure", "frontier", "sdc"}
    settings = context.spec.model_dump_json(include=parts)
    own = json.dumps(dict(setting.values), sort_keys=True)
    return [population.sha256, settings, own, str(context.secrets().seed)]


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
