"""Workers and schedulers of Dask that are killed in mid-run: no byte differs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from synth_tasks.release.spec_files import read_spec
from tests.security.cluster import LONGEST, ROOT, Cluster, wait_for

pytestmark = pytest.mark.slow
CHUNKS = 8  # as many as workers are announced, though only two are there
REPLICATES = 400


class Study:
    """A study of boys, run by the command line in a place of its own."""

    def __init__(self, folder: Path, **run: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []
        content = read_spec(ROOT / "deployments" / "study.yaml").model_dump(
            mode="json", exclude={"base"}, by_alias=True
        )
        content |= {"study": {"replicates": REPLICATES}, "run": run}
        content["publish"]["keep_workspace"] = True
        (folder / "spec.yaml").write_text(yaml.safe_dump(content))
        self.environment = {
            **os.environ,
            "PREFECT_HOME": str(folder / "prefect"),
            "SYNTH_WORKSPACE": str(folder / "workspace"),
            "PYTHONPATH": str(ROOT),
        }

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flows.study", "--spec", "spec.yaml", "--to", "results"]
        process = subprocess.Popen(
            command, cwd=self._folder, env=self.environment, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._started.append(process)
        return process

    def stop(self) -> None:
        """Kill what a test that failed has left, with the server that it has started."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate(timeout=LONGEST)

    def finish(self, process: subprocess.Popen[bytes]) -> None:
        output, _ = process.communicate(timeout=LONGEST)
        assert process.returncode == 0, output.decode()[-3000:]

    def files(self) -> dict[str, bytes]:
        results = self._folder / "results"
        return {path.name: path.read_bytes() for path in results.iterdir() if path.is_file()}

    def finished_chunks(self) -> dict[str, int]:
        """Return the chunks in the workspace, and when each was finished."""
        stages = self._folder / "workspace" / "boys-study" / "stages"
        done = stages.glob("replicates-*/result.json")
        return {path.parent.name: path.stat().st_mtime_ns for path in done}

    def lost_chunks(self) -> list[str]:
        """List the chunks that somebody began and did not finish."""
        stages = self._folder / "workspace" / "boys-study" / "stages"
        return [path.name for path in stages.glob(".replicates-*")]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    study = Study(tmp_path_factory.mktemp("undisturbed"), workers=2)
    study.finish(study.start())
    return study.files()


@pytest.fixture
def study_of(tmp_path: Path) -> Iterator[Callable[..., Study]]:
    """Make the study of a test, of which nothing is left running."""
    studies: list[Study] = []

    def make(**run: Any) -> Study:
        studies.append(Study(tmp_path / "study", **run))
        return studies[-1]

    yield make
    for study in studies:
        study.stop()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    try:
        cluster.start_scheduler()
        cluster.start_worker()
        cluster.start_worker()
        yield cluster
    finally:
        cluster.stop()


def test_a_killed_worker_costs_one_chunk_and_changes_no_byte(
    undisturbed: dict[str, bytes], cluster: Cluster, study_of: Callable[..., Study]
) -> None:
    study = study_of(runner="dask", scheduler=cluster.address, workers=CHUNKS)
    process = study.start()
    # Both workers are busy.
    wait_for(lambda: len(study.finished_chunks()) >= 2 and len(study.lost_chunks()) == 2)
    before = study.finished_chunks()
    cluster.workers[0].send_signal(signal.SIGKILL)
    study.finish(process)
    after = study.finished_chunks()
    assert len(after) == CHUNKS
    assert {name: after[name] for name in before} == before
    assert len(study.lost_chunks()) == 1
    assert study.files() == undisturbed


def test_a_scheduler_that_is_started_again_goes_on_with_what_is_not_finished(
    undisturbed: dict[str, bytes], cluster: Cluster, study_of: Callable[..., Study]
) -> None:
    study = study_of(runner="dask", scheduler=cluster.address, workers=CHUNKS)
    process = study.start()
    wait_for(lambda: len(study.finished_chunks()) >= 2)
    assert cluster.scheduler is not None
    cluster.scheduler.send_signal(signal.SIGKILL)
    cluster.scheduler.wait(LONGEST)
    before = study.finished_chunks()
    assert len(before) < CHUNKS
    cluster.start_scheduler()
    cluster.start_worker()
    cluster.start_worker()
    study.finish(process)
    after = study.finished_chunks()
    assert {name: after[name] for name in before} == before
    assert study.files() == undisturbed


def test_a_worker_of_a_cluster_of_the_run_is_replaced(
    undisturbed: dict[str, bytes], study_of: Callable[..., Study]
) -> None:
    study = study_of(runner="dask", workers=2)
    process = study.start()
    wait_for(lambda: bool(study.lost_chunks()))
    busy = max(
        (p for p in psutil.Process(process.pid).children(recursive=True) if is_worker(p)),
        key=lambda p: sum(p.cpu_times()[:2]),
    )
    busy.kill()
    study.finish(process)
    assert study.files() == undisturbed


def is_worker(process: psutil.Process) -> bool:
    """Whether a process is one that a nanny of Dask has started."""
    return "spawn_main" in " ".join(process.cmdline())
