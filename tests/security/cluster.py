"""A cluster of Dask as operators start it: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from flows.dask_runner import ENVIRONMENT

ROOT = Path(__file__).parents[2]
LONGEST = 1800


def wait_for(what: Callable[[], bool], seconds: float = LONGEST) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def can_connect(host: str, port: int) -> bool:
    """Whether somebody listens on a port."""
    with socket.socket() as trying:
        return trying.connect_ex((host, port)) == 0


class Cluster:
    """A scheduler and workers on 127.0.0.1; their output goes to a file."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self._folder = folder
        self._log = (folder / "dask.log").open("ab")
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_scheduler(self) -> None:
        """Start the scheduler, also once more."""
        local = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard", "--no-show"]
        self.scheduler = self._start("scheduler", *local)
        wait_for(lambda: can_connect("127.0.0.1", self.port))

    def start_worker(self) -> None:
        """Start one more worker, in one process without a nanny that would start it again."""
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0"]
        self.workers.append(self._start("worker", self.address, "--host", "127.0.0.1", *options))

    def stop(self) -> None:
        """Stop everything that still runs."""
        for process in [*self.workers, self.scheduler]:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(LONGEST)
        self._log.close()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        program = shutil.which("dask", path=str(Path(sys.executable).parent))
        assert program is not None
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [program, *arguments], cwd=self._folder, env=environment,
            stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
