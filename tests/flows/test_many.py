"""Many sets are worked on by few task runs."""

from __future__ import annotations

import pytest
from prefect import flow, task
from prefect.context import TaskRunContext

from flows.many import MOST_RUNS, map_sets
from flows.runners import do_by
from synth_tasks.release.sections import RunSpec


@task
def describe(context: str, number: int, name: str) -> tuple[str, str]:
    running = TaskRunContext.get()
    assert running is not None
    return f"{context} {number} {name}", str(running.task_run.id)


@flow
def described(count: int) -> list[tuple[str, str]]:
    numbers, names = list(range(count)), [f"set {i}" for i in range(count)]
    return do_by(RunSpec(), lambda: map_sets(describe, "boys", numbers, names).result())


@pytest.mark.parametrize("count", [3, MOST_RUNS, MOST_RUNS + 1, 3 * MOST_RUNS + 7])
def test_results_are_in_order_and_task_runs_are_few(count: int) -> None:
    found = described(count)
    assert [text for text, _ in found] == [f"boys {i} set {i}" for i in range(count)]
    assert len({run for _, run in found}) <= MOST_RUNS
