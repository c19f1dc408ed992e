"""Scenarios in which a Prefect worker starts the runs: it, or they, are killed or cancelled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from tests.deployments.topology import wait_until
from tests.security.crashes import KILLS_A_PLACE
from tests.security.releasing import LONGEST, ROOT, Place, prefect_server
from tests.security.tally import Lab, Tally, count_leaks

POOL = "synth-process"
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
DEPLOYMENTS = {
    "release": "flows/release.py:release",
    "hanging": "tests/security/hanging.py:hanging",
}
STAGES_BEFORE = 3
MOST_STAGES = 60


class Workshop:
    """A server with deployments, and one worker at a time.

    Parameters
    ----------
    address : str
        Of the server.
    """

    def __init__(self, address: str) -> None:
        self._api = httpx.Client(base_url=address, timeout=60)
        self.address, self._workers = address, []
        own = {"PREFECT_API_URL": address, "PYTHONPATH": str(ROOT)}
        for command in (
            ["work-pool", "create", POOL, "--type", "process"],
            *(
                ["deploy", entry, "--name", "kill", "--pool", POOL]
                for entry in DEPLOYMENTS.values()
            ),
        ):
            subprocess.run(
                [sys.executable, "-m", "prefect", "--no-prompt", *command], cwd=ROOT, check=True,
                env={**os.environ, **own}, capture_output=True,
            )  # fmt: skip

    def start_worker(self, place: Place) -> subprocess.Popen[bytes]:
        """Start a worker in the environment of a place."""
        environment = {
            **place.environment,
            "PREFECT_API_URL": self.address,
            "PREFECT_WORKER_QUERY_SECONDS": "2",
        }
        log = (place.folder / "worker.log").open("ab")
        with log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL],
                cwd=ROOT, env=environment, start_new_session=True, stdout=log, stderr=log,
            )  # fmt: skip
        self._workers.append(worker)
        return worker

    def stop(self) -> None:
        """Stop all workers."""
        self._api.close()
        for worker in self._workers:
            kill_group(worker)

    def start_run(self, flow: str, **parameters: Any) -> str:
        """Start a run of a deployment; return its id."""
        deployment = self._get(f"/deployments/name/{flow}/kill")["id"]
        content = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self._post(f"/deployments/{deployment}/create_flow_run", content)["id"])

    def release(self, place: Place) -> str:
        """Start a release of a place."""
        return self.start_run("release", spec=str(place.site / "spec.yaml"), to=str(place.out))

    def state(self, run: str) -> dict[str, Any]:
        """Return the state of a run."""
        return dict(self._get(f"/flow_runs/{run}")["state"])

    def wait_for_end(self, run: str) -> dict[str, Any]:
        """Wait for the end of a run; return its state."""

        def ended() -> dict[str, Any] | None:
            state = self.state(run)
            return state if state["type"] in FINAL else None

        return dict(wait_until(f"the end of run {run}", ended, seconds=LONGEST))

    def cancel(self, run: str) -> None:
        """Cancel a run, as the interface of Prefect does."""
        self._post(f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}})

    def _get(self, path: str) -> Any:
        return self._ask("GET", path).json()

    def _post(self, path: str, content: Any) -> Any:
        return self._ask("POST", path, json=content).json()

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask the server, again if it is busy, as Prefect's own client does."""

        def answer() -> httpx.Response | None:
            found = self._api.request(method, path, **content)
            return None if found.status_code == httpx.codes.SERVICE_UNAVAILABLE else found

        found: httpx.Response = wait_until(f"an answer to {path}", answer, seconds=LONGEST)
        return found.raise_for_status()


@contextmanager
def workshop(folder: Path) -> Iterator[Workshop]:
    """Run a server, whose files are in a folder, and workers on it."""
    with prefect_server(folder) as address:
        made = Workshop(address)
        try:
            yield made
        finally:
            made.stop()


def kill_group(worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker and the runs that it has started."""
    for child in _processes_below(worker):
        with suppress(psutil.NoSuchProcess):
            child.kill()
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def kill_worker(worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker alone; its run goes on, or ends when it misses the worker."""
    worker.kill()
    worker.wait()


def kill_run(worker: subprocess.Popen[bytes]) -> None:
    """Kill the run alone, as the kernel does when memory runs out."""
    _processes_below(worker)[0].kill()


def _processes_below(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        return psutil.Process(worker.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


BLOWS: dict[str, tuple[Callable[[subprocess.Popen[bytes]], None], set[str]]] = {
    "worker and run": (kill_group, {"RUNNING"}),
    "worker": (kill_worker, {"COMPLETED", "CRASHED"}),
    "run": (kill_run, {"CRASHED"}),
}


def worker_kills(lab: Lab) -> Tally:
    """Kill the worker with its run, the worker alone, and the run alone."""
    tally = Tally()
    for what, (blow, ends) in BLOWS.items():
        place = lab.place()
        with workshop(place.folder / "prefect") as shop:
            worker = shop.start_worker(place)
            run = shop.release(place)
            _wait_for_stages(place)
            blow(worker)
            found = shop.state(run) if "RUNNING" in ends else shop.wait_for_end(run)
            assert found["type"] in ends, f"{what}: {found}"
            tally.look(place)
            _take_up(shop, place)
        tally.settle(place, lab.undisturbed)
    return tally


def worker_random_kills(lab: Lab, times: int = 50, seed: int = 3) -> Tally:
    """Kill worker, run, or both at random moments of the run; let another worker take it up.

    A run that takes up what was finished is shorter, and may end before it is killed: that is no kill.
    """
    tally, rng, folder = Tally(), np.random.default_rng(seed), lab.folder / "workshop"
    seconds = lab.seconds_served
    with workshop(folder) as shop:
        while tally.times < times:
            place = lab.place()
            place.environment["PREFECT_API_URL"] = shop.address
            for _ in range(min(KILLS_A_PLACE, times - tally.times)):
                what = str(rng.choice(list(BLOWS)))
                moment = float(rng.uniform(0, 1)) * seconds
                if not _kill_after(shop, place, what, moment):
                    break
                tally.look(place)
            tally.settle(place, lab.undisturbed)
        tally.leaked += count_leaks(place, folder)
    return tally


def _kill_after(shop: Workshop, place: Place, what: str, seconds: float) -> bool:
    """Strike a while after a worker has started a run; return whether the run had not ended."""
    blow, ends = BLOWS[what]
    worker = shop.start_worker(place)
    run = shop.release(place)
    wait_until("the run", lambda: _processes_below(worker), seconds=LONGEST)
    time.sleep(seconds)
    is_running = shop.state(run)["type"] not in FINAL and bool(_processes_below(worker))
    if is_running:
        blow(worker)
        if what != "worker and run":
            found = shop.wait_for_end(run)
            assert found["type"] in ends | {"COMPLETED"}, f"{what}: {found}"
    kill_group(worker)
    return is_running


def worker_kills_at_stages(lab: Lab, most: int = MOST_STAGES) -> Tally:
    """Kill the worker with its run after every stage that is finished."""
    tally, place = Tally(), lab.place()
    with workshop(place.folder / "prefect") as shop:
        for _ in range(most):
            worker, before = shop.start_worker(place), place.n_stages()
            run = shop.release(place)
            if not _next_stage(shop, place, run, before):
                break
            kill_group(worker)
            tally.look(place)
        else:
            assert most < MOST_STAGES, "the runs do not go on where the ones before were killed"
            _take_up(shop, place)
    tally.settle(place, lab.undisturbed)
    return tally


def _next_stage(shop: Workshop, place: Place, run: str, before: int) -> bool:
    """Wait for one more stage than before, or for the end of a run; tell which."""

    def seen() -> str:
        if place.n_stages() > before:
            return "stage"
        return "end" if shop.state(run)["type"] in FINAL else ""

    return bool(wait_until("a stage", seen, seconds=LONGEST) == "stage")


def worker_cancellation(lab: Lab) -> Tally:
    """Cancel a run in the interface of Prefect."""
    tally, place = Tally(), lab.place()
    with workshop(place.folder / "prefect") as shop:
        shop.start_worker(place)
        run = shop.release(place)
        _wait_for_stages(place)
        shop.cancel(run)
        assert shop.wait_for_end(run)["type"] == "CANCELLED"
        tally.look(place)
        _take_up(shop, place)
    tally.settle(place, lab.undisturbed)
    return tally


def worker_time_out(lab: Lab) -> Tally:
    """Let a run of a worker hang in native code; its state must give the reason."""
    tally, place = Tally(), lab.place()
    with workshop(place.folder / "prefect") as shop:
        shop.start_worker(place)
        run = shop.start_run("hanging")
        found = shop.wait_for_end(run)
        assert found["type"] == "FAILED", found
        time.sleep(10)  # in which the worker takes note of the death of the process
        found = shop.state(run)
        assert found["type"] == "FAILED", found
        assert "run.timeout_minutes" in found["message"], found
        tally.look(place)
        _take_up(shop, place)
    tally.settle(place, lab.undisturbed)
    return tally


def _wait_for_stages(place: Place) -> None:
    wait_until("some stages", lambda: place.n_stages() >= STAGES_BEFORE, seconds=LONGEST)


def _take_up(shop: Workshop, place: Place) -> None:
    """Let another worker, if the first is gone, run the release again."""
    shop.start_worker(place)
    state = shop.wait_for_end(shop.release(place))
    assert state["type"] == "COMPLETED", state
