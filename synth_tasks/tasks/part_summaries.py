"""Summaries of strata, from which whole tables are measured without being read again.

Real strata are sketched first; from all sketches the cells are marked in which every table is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.release.workspace import DatasetRef, Workspace
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.part_models import DrawnStratum
from synth_tasks.utility.summaries import (
    TableCounts,
    TableSketch,
    count_table,
    make_marks,
    sketch_table,
)


@dataclass(frozen=True)
class Summary:
    """Where the summaries of a table lie in the workspace.

    Parameters
    ----------
    sketch, counts : DatasetRef
        A `TableSketch` and `TableCounts`.
    """

    sketch: DatasetRef
    counts: DatasetRef


@task(
    name="sketch strata", task_run_name="sketch {drawn[0].stratum.name} ...", cache_policy=NO_CACHE
)
@confidential
def sketch_strata(context: RunContext, drawn: list[DrawnStratum]) -> list[DatasetRef]:
    """Sketch the real rows of some strata.

    Parameters
    ----------
    context : RunContext
        The release.
    drawn : list of DrawnStratum
        Which.

    Returns
    -------
    list of DatasetRef
        A `TableSketch` of each.
    """
    return [_sketch(context, each.controlled[0].real) for each in drawn]


@task(name="mark cells", task_run_name="mark the cells of all strata", cache_policy=NO_CACHE)
@confidential
def mark_cells(
    context: RunContext, drawn: list[DrawnStratum], sketches: list[DatasetRef]
) -> DatasetRef:
    """Find the cells in which all parts are counted: at quantiles of the real table.

    Parameters
    ----------
    context : RunContext
        The release.
    drawn : list of DrawnStratum
        All strata.
    sketches : list of DatasetRef
        From `sketch_strata`.

    Returns
    -------
    DatasetRef
        The `Marks`.
    """
    workspace = context.workspace()

    def compute(folder: Path) -> dict[str, Any]:
        schema = workspace.read_schema(drawn[-1].controlled[0].real)
        whole = reduce(TableSketch.merge, map(workspace.read_object, sketches))
        return {"ref": workspace.write_object(folder / "marks.pickle", make_marks(whole, schema))}

    result, _ = workspace.run_stage("marks", [ref.sha256 for ref in sketches], compute)
    return result["ref"]


def _sketch(context: RunContext, ref: DatasetRef) -> DatasetRef:
    """Sketch a table, once however often it is asked for."""
    workspace = context.workspace()

    def compute(folder: Path) -> dict[str, Any]:
        sketch = sketch_table(*workspace.read_table(ref))
        return {"ref": workspace.write_object(folder / "sketch.pickle", sketch)}

    return workspace.run_stage("sketch", [ref.sha256], compute)[0]["ref"]


def _count(context: RunContext, ref: DatasetRef, marks: DatasetRef) -> DatasetRef:
    """Count a table, once however often it is asked for."""
    workspace = context.workspace()

    def compute(folder: Path) -> dict[str, Any]:
        counts = count_table(*workspace.read_table(ref), workspace.read_object(marks))
        return {"ref": workspace.write_object(folder / "counts.pickle", counts)}

    return workspace.run_stage("counts", [ref.sha256, marks.sha256], compute)[0]["ref"]


def summarise(context: RunContext, ref: DatasetRef, marks: DatasetRef) -> Summary:
    """Sum a table up, once however often it is asked for.

    Parameters
    ----------
    context : RunContext
        The release.
    ref : DatasetRef
        The table.
    marks : DatasetRef
        From `mark_cells`.
    """
    return Summary(_sketch(context, ref), _count(context, ref, marks))


def merge_summaries(
    workspace: Workspace, parts: Sequence[Summary]
) -> tuple[TableSketch, TableCounts]:
    """Put the summaries of all strata together, with one of them in memory at a time."""
    sketches = (workspace.read_object(part.sketch) for part in parts)
    counts = (workspace.read_object(part.counts) for part in parts)
    return reduce(TableSketch.merge, sketches), reduce(add, counts)
