"""A PostgreSQL server on loopback with a temporary cluster, for the tests that need one."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "Q918273Z"  # noqa: S105  (no error may show it)
SECONDS_TO_START = 60
ATTEMPTS = 3


@contextmanager
def run_postgresql() -> Iterator[str]:
    """Start a server as a user without rights; give the address of its database."""
    pytest.importorskip("psycopg", reason="needs the extra [postgresql]")
    programs = _find_programs()
    user = _unprivileged_user()
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if user is not None:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        options = ["-U", "owner", "-A", "scram-sha-256", "--pwfile", folder / "password"]
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-E", "UTF8", "--no-sync", *options],
            check=True, capture_output=True, user=user, cwd=folder,
        )  # fmt: skip
        server, port = _start(programs, folder, user)
        try:
            yield f"postgresql+psycopg://owner:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=SECONDS_TO_START)


def _find_programs() -> Path:
    found = shutil.which("initdb")
    if found is None:
        pytest.skip("PostgreSQL's server is not installed (no initdb on the path)")
    return Path(found).resolve().parent


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _start(programs: Path, folder: Path, user: str | None) -> tuple[subprocess.Popen, int]:
    """Start the server; on another port if somebody has taken the first one meanwhile."""
    for _ in range(ATTEMPTS):
        port = _free_port()
        settings = {"listen_addresses": "127.0.0.1", "port": port, "fsync": "off"}
        arguments = [f"--{key}={value}" for key, value in settings.items()]
        server = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-k", folder, *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd=folder,
        )  # fmt: skip
        if _is_ready(port, server):
            return server, port
    raise AssertionError("the server has ended, or not started in time")


def _is_ready(port: int, server: subprocess.Popen) -> bool:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0 and server.poll() is None:
                return True
        time.sleep(0.1)
    server.kill()
    return False
