"""A simulation study in chunks of replicates."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from synth_tasks.errors import SpecError
from synth_tasks.release import pictures
from synth_tasks.release.locations import require_local
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.study import Population, Replicates, make_population, run_replicates
from synth_tasks.study.files import check_target
from synth_tasks.study.results import REPORT, StudyResults, summarise, write_results
from synth_tasks.tasks.artifacts import artifact_key, embed_picture
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.chunks import chunk_size
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.places import named_block

PILOT = 3
PUBLIC_FOLDERS = {"study": "studies", "frontier": "frontiers"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Replicates `first` to `last` of a study."""

    first: int
    last: int

    @property
    def numbers(self) -> range:
        """Their numbers."""
        return range(self.first, self.last + 1)


@task(name="plan study", task_run_name="plan study of {context.spec.dataset.name}",
      cache_policy=NO_CACHE)  # fmt: skip
@confidential
def plan_study(context: RunContext, population: DatasetRef) -> list[Chunk]:
    """Divide the replicates into chunks, judged by the time that the first ones take.

    Parameters
    ----------
    context : RunContext
        The study.
    population : DatasetRef
        Complete data.

    Returns
    -------
    list of Chunk
        The same in a later run, so that it goes on with the chunks that are finished.
    """
    workspace, spec = context.workspace(), context.spec

    def compute(_: Path) -> dict[str, Any]:
        made, seed = _population(context, population), context.secrets().seed
        run_replicates(made, seed, [1])  # compiles and loads what the first one needs
        started = time.perf_counter()
        run_replicates(made, seed, range(1, PILOT + 1))
        return {"seconds": (time.perf_counter() - started) / PILOT}

    result, _ = workspace.run_stage("study-pilot", _inputs(context, population), compute)
    n, run = spec.study.replicates, spec.run
    size = chunk_size(n, result["seconds"], run.runner, run.workers)
    return [Chunk(first, min(first + size - 1, n)) for first in range(1, n + 1, size)]


@task(name="replicates", task_run_name="replicates {chunk.first} to {chunk.last}",
      cache_policy=NO_CACHE)  # fmt: skip
@confidential
def run_chunk(context: RunContext, population: DatasetRef, chunk: Chunk) -> DatasetRef:
    """Draw, synthesise and analyse the samples of a chunk.

    Parameters
    ----------
    context : RunContext
        The study.
    population : DatasetRef
        Complete data.
    chunk : Chunk
        Which replicates.

    Returns
    -------
    DatasetRef
        The estimates, in the workspace.
    """
    workspace = context.workspace()

    def compute(folder: Path) -> dict[str, Any]:
        made = _population(context, population)
        found = run_replicates(made, context.secrets().seed, chunk.numbers)
        return {"ref": workspace.write_object(folder / "replicates.pickle", found)}

    numbers = [str(chunk.first), str(chunk.last)]
    inputs = [*_inputs(context, population), *numbers]
    result, _ = workspace.run_stage("replicates", inputs, compute)
    return result["ref"]


@task(name="sum up study", task_run_name="sum up study of {context.spec.dataset.name}",
      cache_policy=NO_CACHE)  # fmt: skip
@confidential
def sum_up(
    context: RunContext, population: DatasetRef, chunks: list[DatasetRef], folder: str
) -> dict[str, Any]:
    """Put the chunks together, write the results and show them.

    Parameters
    ----------
    context : RunContext
        The study.
    population : DatasetRef
        Complete data.
    chunks : list of DatasetRef
        From `run_chunk`.
    folder : str
        Where the results are written.

    Returns
    -------
    dict
        The extremes of what was found.
    """
    workspace, public = context.workspace(), context.secrets().public
    replicates = Replicates.join([workspace.read_object(ref) for ref in chunks])
    results = StudyResults.of(_population(context, population), replicates)
    write_results(Path(folder), results, context.spec, private=not public)
    _show(context, results, Path(folder), public)
    return summarise(results, context.spec)


def results_folder(context: RunContext, to: str | None, what: str = "study") -> Path:
    """Return where the results go: they tell estimates from the real data.

    Parameters
    ----------
    context : RunContext
        The study.
    to : str, optional
        As the user wants it.
    what : str, default "study"
        Name of the folder in the private workspace.

    Returns
    -------
    Path
        Without `to`, ``studies/<dataset>`` for public data (``frontiers/`` for a frontier), else a
        folder in the private workspace.
    """
    if to is not None:
        return named_folder(to, what)
    if context.secrets().public:
        folder = Path(PUBLIC_FOLDERS[what], context.spec.dataset.name).absolute()
    else:
        folder = context.workspace().private(what)
    check_target(folder)
    return folder


def named_folder(to: str, what: str = "study") -> Path:
    """Return the folder that a user names for results, after making sure that it can be written to.

    Parameters
    ----------
    to : str
        As the user wants it.
    what : str, default "study"
        What goes there.

    Raises
    ------
    SpecError, StorageError
        If it is a block, elsewhere, or not writable.
    """
    if named_block(to, "to") is not None:
        raise SpecError(f"to: a {what} goes to a folder, not into a block: name a folder")
    folder = require_local(to, "to").absolute()
    check_target(folder)
    return folder


def _population(context: RunContext, ref: DatasetRef) -> Population:
    matrix, schema = context.workspace().read_table(ref)
    return make_population(context.spec, schema, matrix)


def _inputs(context: RunContext, population: DatasetRef) -> list[str]:
    spec = context.spec
    settings = spec.model_dump_json(include={"synthesis", "analysis", "variables", "pooling"})
    return [population.sha256, settings, str(context.secrets().seed)]


# --- what people see ------------------------------------------------------------------------------


def _show(context: RunContext, results: StudyResults, folder: Path, public: bool) -> None:
    spec, n = context.spec, len(results.replicates.numbers)
    create_table_artifact(
        _rows(results, public),
        key=artifact_key(spec, "coverage"),
        description=f"{n} samples, {results.population.plan.m} synthetic sets each. Bias in standard "
        "deviations of an estimate from a real sample; coverage of 95 % intervals.",
    )
    picture = pictures.to_png(pictures.coverage(results.coverage), dpi=100)
    create_markdown_artifact(
        f"# Simulation study of {spec.dataset.title or spec.dataset.name}\n\n"
        f"Results: `{folder}`; report: [{REPORT}]({(folder / REPORT).as_uri()})\n\n"
        f"{embed_picture(picture, 'coverage of 95 % intervals')}\n",
        key=artifact_key(spec, "study"),
        description=f"Study of {spec.dataset.name}: {n} replicates",
    )


def _rows(results: StudyResults, public: bool) -> list[dict[str, Any]]:
    """Return rates only, unless the data are public."""
    columns = ["analysis", "term", "std_bias", "bootstrap_coverage", "synthetic_coverage",
               "coverage_difference", "width_ratio", "interval_overlap",
               "synthetic_failed"]  # fmt: skip
    if public:
        columns[2:2] = ["true", "bootstrap_bias", "synthetic_bias"]
    table = results.coverage[columns]
    return [
        {key: value if isinstance(value, str) else _short(value) for key, value in row.items()}
        for row in table.to_dict("records")
    ]


def _short(value: float) -> float | str:
    return float(f"{value:.4g}") if math.isfinite(value) else "not estimated"
