"""Releases made by the command line, each in a process, a workspace and a Prefect home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from synth_tasks.errors import SynthError
from synth_tasks.release.bundle import verify
from tests.deployments.topology import free_port, wait_until
from tests.release import builders
from tests.release.builders import gate_item, make_site
from tests.security.markers import Markers, find_leaks, make_people, people_content

ROOT = Path(__file__).parents[2]
LONGEST = 900  # on a busy machine
RELEASE = ("flows.release",)
PLACES = ("site", "prefect", "tmp", "home", "workspace")
# The same in all places, so that the same bytes must come out.
SECRETS = {"SYNTH_SEED": "20261125", "SYNTH_KEY": "5c" * 32}
POLICIES = {
    "passes": [gate_item("unique_exact_match", max_value=1.0)],
    "fails": [gate_item("unique_exact_match", max_value=-1.0)],
    "warns": [
        gate_item("unique_exact_match", max_value=1.0),
        gate_item("repU", max_value=-1.0) | {"severity": "warning", "description": "none"},
    ],
}


class Place:
    """A site with its own workspace and Prefect home, and all that was said in it.

    Parameters
    ----------
    folder : Path
        Where everything is kept, below folders of its own for site, workspace, home and the rest.
    content : dict
        The specification, for the data in the site.
    """

    def __init__(self, folder: Path, content: dict[str, Any]) -> None:
        self.folder, self.site, self.out = folder, folder / "site", folder / "site" / "out"
        self.workspace, self.output = folder / "workspace", b""
        for name in PLACES:
            (folder / name).mkdir(parents=True, exist_ok=True)
        (self.site / "spec.yaml").write_text(yaml.safe_dump(content))
        self.environment = {
            **os.environ,
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(folder / "prefect" / "results"),
            "TMPDIR": str(folder / "tmp"),
            "HOME": str(folder / "home"),
            "XDG_CACHE_HOME": str(folder / "home" / "cache"),
            "SYNTH_WORKSPACE": str(self.workspace),
            "PYTHONPATH": str(ROOT),
        }
        self._stages: dict[str, tuple[int, int]] = {}
        self._versions: set[str] = set()

    @classmethod
    def of_people(cls, folder: Path, **sections: Any) -> Place:
        """Make a place with data of all kinds; the seed is public."""
        make_site(folder / "site")
        return cls(folder, builders.people_content(disclosure={"cross_fit": False}, **sections))

    @classmethod
    def of_markers(cls, folder: Path, seed: int = 5, **changes: Any) -> Place:
        """Make a place with data whose cells are markers; finished stages stay in the workspace."""
        content = people_content(**{"publish": {"keep_workspace": True}, **changes})
        place = cls(folder, content)
        people = make_people(seed)
        people.to_csv(place.site / "people.csv", index=False)
        for name, items in POLICIES.items():
            suite = {"name": "gate", "expectations": items}
            (place.site / f"{name}.json").write_text(json.dumps(suite))
        place.markers = Markers.of(people)
        place.environment |= SECRETS
        return place

    markers: Markers

    # --- runs -------------------------------------------------------------------------------------

    def start(self, module: Sequence[str] = RELEASE, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a release in a process group, with the server that it starts."""
        command = [sys.executable, "-m", *module, "--spec", "spec.yaml", "--to", "out", *arguments]
        return subprocess.Popen(
            command, cwd=self.site, env=self.environment, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def wait(self, process: subprocess.Popen[bytes]) -> str:
        """Wait for the end of a release; return what it says."""
        output, _ = process.communicate(timeout=LONGEST)
        self.output += output
        return output.decode()

    def run(self, module: Sequence[str] = RELEASE, *arguments: str) -> tuple[int, str]:
        """Run a release to whatever end; return its exit code and what it says."""
        process = self.start(module, *arguments)
        output = self.wait(process)
        return process.returncode, output

    def finish(self) -> str:
        """Run a release to its end and return what it says."""
        code, output = self.run()
        assert code == 0, output
        return output

    def disturb(
        self, seconds: float, blow: Callable[[subprocess.Popen[bytes]], None]
    ) -> tuple[int, str]:
        """Start a release and do something to it in mid-run; return exit code and output."""
        process = self.start()
        time.sleep(seconds)
        blow(process)
        output = self.wait(process)
        return process.returncode, output

    # --- what is left -----------------------------------------------------------------------------

    def versions(self) -> list[Path]:
        """Return what readers see as releases."""
        folder = self.out / "people"
        seen = folder.iterdir() if folder.is_dir() else ()
        return [p for p in seen if p.is_dir() and not p.is_symlink() and p.name[0] != "."]

    def count_losses(self) -> int:
        """Return what was lost since the last look.

        Returns
        -------
        int
            Number of versions that are not whole or are there no more, of names `latest` for what is no
            version, and of finished stages that have vanished or were computed again.
        """
        versions = self.versions()
        lost = sum(not is_whole(version) for version in versions)
        lost += len(self._versions - {version.name for version in versions})
        latest = self.out / "people" / "latest"
        lost += latest.is_symlink() and latest.resolve() not in {v.resolve() for v in versions}
        stages = self._finished_stages()
        lost += sum(stages.get(name) != state for name, state in self._stages.items())
        self._versions, self._stages = {v.name for v in versions}, stages
        return lost

    def _finished_stages(self) -> dict[str, tuple[int, int]]:
        """Return identity and time of the result of each stage that has its final name."""
        results = self.workspace.glob("people/stages/[!.]*/result.json")
        return {p.parent.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in results}

    def n_stages(self) -> int:
        """Return how many stages are finished."""
        return len(self._finished_stages())

    def files(self) -> dict[str, bytes]:
        """Return the content of the newest release."""
        latest = self.out / "people" / "latest"
        files = (p for p in sorted(latest.rglob("*")) if p.is_file())
        return {str(p.relative_to(latest)): p.read_bytes() for p in files}

    def leaks(self, folder: Path | None = None) -> dict[str, list[bytes]]:
        """Search everything outside the workspace, or a folder elsewhere, for values of the data."""
        return find_leaks(folder or self.folder, self.workspace, self.markers, self.output)


def is_whole(version: Path) -> bool:
    """Tell whether a release is exactly what its manifest says."""
    try:
        verify(version)
    except SynthError:
        return False
    return True


def count_differences(one: dict[str, bytes], other: dict[str, bytes]) -> int:
    """Return the number of files that are not in both with the same bytes."""
    return sum(one.get(name) != other.get(name) for name in one.keys() | other.keys())


# --- blows ----------------------------------------------------------------------------------------


def kill_everything(process: subprocess.Popen[bytes]) -> None:
    """Kill a run and all that it has started, as a failure of the machine does."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def kill_run(process: subprocess.Popen[bytes]) -> None:
    """Kill a run alone, as the kernel does when memory runs out."""
    process.kill()


def kill_pool_worker(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that works on the tasks of a run."""
    workers: list[psutil.Process] = []

    def found() -> bool:
        workers.extend(_pool_workers(process))
        return bool(workers) or process.poll() is not None

    wait_until("a worker of the pool", found)
    assert workers, "the run ended before it was disturbed"
    workers[0].kill()


def _pool_workers(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children() if process.poll() is None else []
    return [c for c in children if any("spawn_main" in part for part in c.cmdline())]


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Press the interrupt key: all processes of the terminal are told."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)


def terminate(process: subprocess.Popen[bytes]) -> None:
    """Ask a run to end, as a service manager does."""
    process.terminate()


# --- a server that stays --------------------------------------------------------------------------


@contextmanager
def prefect_server(folder: Path) -> Iterator[str]:
    """Run a Prefect server on loopback; yields its address."""
    port = free_port()
    environment = {**os.environ, "PREFECT_HOME": str(folder)}
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1"], env=environment, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}/api"
    try:
        wait_until("the server", lambda: _answers(f"{address}/health"))
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5).is_success
    except httpx.TransportError:
        return False
