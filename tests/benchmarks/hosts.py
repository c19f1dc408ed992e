"""Hosts of their own for workers of Dask: network namespaces of this machine, joined by a bridge.

Each host has its own network stack and nothing of 127.0.0.1 in common with others, so that whatever is
not sent over the network is missed. Needs the rights of root and the program ``ip``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.dask_runner import ENVIRONMENT
from tests.security.cluster import ROOT, can_connect, free_port, wait_for

BRIDGE, NETWORK = "synth-bridge", "10.213.0"
HERE = f"{NETWORK}.1"


def there_are_hosts() -> bool:
    """Whether this machine lets us make hosts."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


@contextmanager
def cluster_of_hosts(count: int, folder: Path) -> Iterator[dict[str, str]]:
    """Start a Prefect server and a scheduler here, and a worker on each host.

    Parameters
    ----------
    count : int
        Number of hosts.
    folder : Path
        For the server and its log.

    Yields
    ------
    dict of str to str
        The address of the scheduler, and that of the server as ``PREFECT_API_URL``.
    """
    processes: list[subprocess.Popen[bytes]] = []
    server, scheduler = free_port(), free_port()
    api = f"http://{HERE}:{server}/api"
    environment = {
        **os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": api,
        "PREFECT_HOME": str(folder / "prefect"),
    }  # fmt: skip
    programs = Path(sys.executable).parent
    with (folder / "hosts.log").open("ab") as log, _hosts(count):

        def start(*command: str) -> None:
            processes.append(
                subprocess.Popen(
                    command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
                )
            )

        try:
            start(f"{programs}/prefect", "server", "start", "--host", HERE, "--port", str(server))
            start(f"{programs}/dask", "scheduler", "--host", HERE, "--port", str(scheduler),
                  "--no-dashboard", "--no-show")  # fmt: skip
            wait_for(lambda: can_connect(HERE, server) and can_connect(HERE, scheduler))
            address = f"tcp://{HERE}:{scheduler}"
            for number in range(1, count + 1):
                start("ip", "netns", "exec", f"synth{number}", f"{programs}/dask", "worker", address,
                      "--host", _address(number), "--nthreads", "1", "--no-nanny",
                      "--no-dashboard", "--memory-limit", "0")  # fmt: skip
            yield {"scheduler": address, "PREFECT_API_URL": api}
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:  # a worker whose scheduler has gone first
                    process.kill()
                    process.wait()


@contextmanager
def _hosts(count: int) -> Iterator[None]:
    made: list[str] = []
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("address", "add", f"{HERE}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for number in range(1, count + 1):
            name = f"synth{number}"
            _ip("netns", "add", name)
            made.append(name)
            _ip("link", "add", f"{name}-a", "type", "veth", "peer", "name", f"{name}-b")
            _ip("link", "set", f"{name}-a", "master", BRIDGE, "up")
            _ip("link", "set", f"{name}-b", "netns", name)
            _ip("-n", name, "address", "add", f"{_address(number)}/24", "dev", f"{name}-b")
            _ip("-n", name, "link", "set", f"{name}-b", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        for name in made:
            _ip("netns", "delete", name)  # takes both ends of its cable with it
        _ip("link", "delete", BRIDGE)


def _address(number: int) -> str:
    return f"{NETWORK}.{10 + number}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
