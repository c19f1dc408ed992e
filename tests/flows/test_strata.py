"""Strata are worked on by few task runs, each of which is long enough to be worth one."""

import time

import pytest
from prefect import flow, task
from prefect.context import TaskRunContext

from flows.runners import do_by
from flows.strata import MAPS, map_strata, most_runs
from synth_tasks.release.sections import RunSpec
from synth_tasks.tasks.chunks import MOST_TASK_RUNS
from synth_tasks.tasks.context import RunContext
from tests.release.builders import people_spec


@task
def describe(
    context: RunContext, numbers: list[int], names: list[str], seconds: float
) -> list[tuple[str, str]]:
    running = TaskRunContext.get()
    assert running is not None
    time.sleep(seconds * len(numbers))
    run = str(running.task_run.id)
    return [(f"{number} {name}", run) for number, name in zip(numbers, names, strict=True)]


def described(tmp_path, count: int, seconds: float, **sections) -> list[tuple[str, str]]:
    context = RunContext(people_spec(tmp_path, **sections), "", "", "")

    @flow
    def run() -> list[tuple[str, str]]:
        numbers = list(range(count))
        names = [f"stratum {i}" for i in numbers]
        return do_by(
            RunSpec(), lambda: map_strata(describe, context, numbers, names, seconds=seconds)
        )

    return run()


@pytest.mark.parametrize("count", [1, 2, 5, 300])
def test_results_are_in_order_and_task_runs_are_few(tmp_path, count: int) -> None:
    found = described(tmp_path, count, 0.0, run={"workers": 2})
    assert [text for text, _ in found] == [f"{i} stratum {i}" for i in range(count)]
    assert len({run for _, run in found}) <= (MOST_TASK_RUNS - 12) / MAPS


def test_strata_that_take_long_get_task_runs_of_their_own(tmp_path) -> None:
    found = described(tmp_path, 6, 0.6, run={"workers": 2})
    assert len({run for _, run in found}) >= 4


@pytest.mark.parametrize("n_analyses", [0, 40])
def test_a_flow_has_at_most_200_task_runs(tmp_path, n_analyses: int) -> None:
    names = [f"x{i}" for i in range(n_analyses)]
    analyses = [{"model": "mean", "variables": [name]} for name in names]
    context = RunContext(people_spec(tmp_path, analysis=analyses), "", "", "")
    assert MAPS * most_runs(context) + n_analyses + 12 <= MOST_TASK_RUNS
