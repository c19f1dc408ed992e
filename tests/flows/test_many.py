"""Many sets are worked on by few task runs."""

from __future__ import annotations

import asyncio

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.context import TaskRunContext

from flows import many
from flows.many import ALONE, MAPS, MOST_RUNS, map_sets
from flows.release import release
from flows.runners import do_by
from synth_tasks.release.sections import RunSpec
from tests.release.builders import make_site, people_spec


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


def test_a_release_has_few_task_runs_however_many_its_tables_sets_and_analyses(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(many, "MOST_RUNS", 1)
    spec = people_spec(
        make_site(tmp_path),
        imputation={"m": 2, "maxit": 1},
        synthesis={"m": 2},
        analysis=[{"model": "mean", "variables": [name]} for name in ("hgt", "wgt")],
        disclosure={"cross_fit": False},
    )
    state = release(spec, str(tmp_path / "releases"), return_state=True)
    assert state.is_completed(), state.message
    flow_run = state.state_details.flow_run_id

    async def count() -> int:
        async with get_client() as client:
            runs = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run]))
            return len(await client.read_task_runs(flow_run_filter=runs))

    assert asyncio.run(count()) <= MAPS + ALONE
