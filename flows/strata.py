"""Mapping a task over strata, of which there may be many small ones or few large ones."""

# No deferred annotations here, as in `flows.release`.
import time
from collections.abc import Sequence
from typing import Any

from prefect import Task, unmapped

from flows.many import ALONE
from synth_tasks.tasks.chunks import MOST_TASK_RUNS, chunk_size
from synth_tasks.tasks.context import RunContext

MAPS = 5  # completing, fitting, drawing, sketching, measuring


def most_runs(context: RunContext) -> int:
    """Return how many task runs each map may have, so that the flow has no more than 200.

    Args:
        context: The release.
    """
    return max((MOST_TASK_RUNS - ALONE - len(context.spec.analysis)) // MAPS, 2)


def map_strata(
    task: Task[..., list[Any]], context: RunContext, *columns: Sequence[Any], **fixed: Any
) -> list[Any]:
    """Let a task work on strata, each worker on one first: that tells how many the others get at once.

    Args:
        task: Takes the context, a list for each column, and what is fixed; returns a list as long.
        context: The release.
        columns: One value for each stratum.
        fixed: The same for all strata.

    Returns:
        A result for each stratum, in their order.
    """
    run, most = context.spec.run, most_runs(context)
    rows = list(zip(*columns, strict=True))
    n_first = min(run.workers, most // 2, len(rows))
    begin = time.perf_counter()
    found = _map(task, context, [[row] for row in rows[:n_first]], fixed)
    seconds = time.perf_counter() - begin
    left = rows[n_first:]
    if left:
        size = chunk_size(len(left), seconds, run.runner, run.workers, most - n_first)
        chunks = [left[i : i + size] for i in range(0, len(left), size)]
        found += _map(task, context, chunks, fixed)
    return found


def _map(
    task: Task[..., list[Any]],
    context: RunContext,
    chunks: list[list[tuple[Any, ...]]],
    fixed: dict[str, Any],
) -> list[Any]:
    columns = [[list(column) for column in zip(*chunk, strict=True)] for chunk in chunks]
    by_argument = [list(argument) for argument in zip(*columns, strict=True)]
    same = {name: unmapped(value) for name, value in fixed.items()}
    futures = task.map(unmapped(context), *by_argument, **same)
    return [result for results in futures.result() for result in results]
