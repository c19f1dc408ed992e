"""Who works on the tasks of a flow, and what is sent to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

from flows import runners
from flows.release import release
from flows.runners import do_by, task_runner
from synth_tasks.errors import SpecError, SynthError
from synth_tasks.release.sections import RunSpec
from tests.release.builders import make_people, make_site, people_spec

ROOT = Path(__file__).parents[2]
N_ROWS = 3000
TABLE_BYTES = 8 * 8 * N_ROWS


@pytest.mark.parametrize(
    "runner",
    [
        "processes",
        pytest.param("dask", marks=pytest.mark.slow),
        pytest.param("ray", marks=pytest.mark.slow),
    ],
)
def test_workers_use_the_server_of_the_run_and_start_none(runner: str, tmp_path: Path) -> None:
    if runner == "ray":
        pytest.importorskip("prefect_ray")
    environment = {**os.environ, "PREFECT_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-m", "tests.flows.alone", runner]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert {worker["started"] for worker in told["workers"]} == {0}
    assert told["me"] not in {worker["pid"] for worker in told["workers"]}
    (server,) = {worker["server"] for worker in told["workers"]}
    assert server.startswith("http://127.0.0.1:")


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[tuple[str, int]], set[int]]:
    """What a release started without a command line sends to its workers, and which threads draw."""
    folder = tmp_path_factory.mktemp("sent")
    site = make_site(folder / "site", make_people(N_ROWS))
    spec = people_spec(site, run={"workers": 1}, disclosure={"cross_fit": False})
    arguments: list[tuple[str, int]] = []
    threads: set[int] = set()
    real = ThreadPoolTaskRunner.submit

    def submit(self: Any, task: Any, parameters: Any, *more: Any, **options: Any) -> Any:
        arguments.append((task.name, len(cloudpickle.dumps(parameters))))
        future = real(self, task, parameters, *more, **options)
        future.wrapped_future.add_done_callback(lambda _: threads.add(threading.get_ident()))
        return future

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTH_WORKSPACE", str(folder / "workspace"))
        patch.setattr(ThreadPoolTaskRunner, "submit", submit)
        state = release(spec, str(folder / "releases"), return_state=True)
    assert state.is_completed(), state.message
    return arguments, threads


def test_workers_get_references_never_tables(
    sent: tuple[list[tuple[str, int]], set[int]],
) -> None:
    sizes = dict(sent[0])
    assert {"draw set", "control set", "assess set", "pool analysis"} <= sizes.keys()
    assert max(sizes.values()) < 16_000 < TABLE_BYTES / 10


def test_a_run_without_a_command_line_has_as_many_workers_as_its_specification_says(
    sent: tuple[list[tuple[str, int]], set[int]],
) -> None:
    assert len(sent[1]) == 1


def test_no_more_tasks_work_at_a_time_than_there_are_workers() -> None:
    at_once, lock, seen = [0], threading.Lock(), []

    @task
    def work(_: int) -> None:
        with lock:
            at_once[0] += 1
            seen.append(at_once[0])
        threading.Event().wait(0.05)
        with lock:
            at_once[0] -= 1

    @flow
    def many() -> None:
        do_by(RunSpec(workers=3), lambda: work.map(range(9)).result())

    many()
    assert max(seen) <= 3


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "SECONDS_TO_CONNECT", 1)

    @flow
    def nowhere() -> None:
        do_by(RunSpec(runner="dask", scheduler="tcp://127.0.0.1:9"), lambda: None)

    with pytest.raises(SynthError, match=r"run\.scheduler: no scheduler of Dask answers at tcp"):
        nowhere()


@pytest.mark.parametrize(("runner", "package"), [("dask", "prefect_dask"), ("ray", "prefect_ray")])
def test_a_runner_that_is_not_installed_is_named_with_its_extra(
    runner: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SpecError, match=rf"prefect-synth\[{runner}\]"):
        task_runner(RunSpec(runner=runner))
