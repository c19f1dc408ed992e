"""Mapping a task over many sets without more task runs than a Prefect server shows and records well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prefect import Task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFutureList

from synth_tasks.tasks.chunks import MOST_TASK_RUNS

# A release maps seven times, over completed tables, sets and analyses; a dozen tasks stand alone.
MAPS, ALONE = 7, 12
MOST_RUNS = (MOST_TASK_RUNS - ALONE) // MAPS


@dataclass(frozen=True)
class Mapped:
    """What is being worked on.

    Args:
        futures: Of the task runs.
        in_chunks: Whether each gives several results.
    """

    futures: PrefectFutureList[Any]
    in_chunks: bool

    def result(self) -> list[Any]:
        """Wait for all results, in the order of what was mapped."""
        found = self.futures.result()
        return [each for chunk in found for each in chunk] if self.in_chunks else found


def map_sets(task: Task[..., Any], context: Any, *columns: Sequence[Any]) -> Mapped:
    """Let a task work on every row of some columns, or a task run on several rows if there are many.

    Args:
        task: Takes the context and a value of each column.
        context: The release.
        columns: As long as each other.

    Returns:
        What is being worked on; the results are the same in both cases.
    """
    rows = list(zip(*columns, strict=True))
    if len(rows) <= MOST_RUNS:
        return Mapped(task.map(unmapped(context), *columns), in_chunks=False)
    size = -(-len(rows) // MOST_RUNS)
    chunks = [rows[i : i + size] for i in range(0, len(rows), size)]
    return Mapped(_for_several(task).map(unmapped(context), chunks), in_chunks=True)


def _for_several(task: Task[..., Any]) -> Task[..., Any]:
    def several(context: Any, rows: list[tuple[Any, ...]]) -> list[Any]:
        return [task.fn(context, *row) for row in rows]

    return Task(several, name=f"{task.name}, several", cache_policy=NO_CACHE)
