"""The services of deployments/compose.yaml as plain processes on loopback, without containers.

Commands, environments, entry point and health checks are those of the file; only names of hosts, ports
and folders are replaced.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import httpx
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "deployments" / "compose.yaml").read_text())["services"]
CODE = ("flows", "synth_tasks", "expectations", "deployments")
PATIENCE = 600.0  # of a busy machine; nobody waits longer than it takes


def wait_until(what: str, ready: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Return the first true answer; fail with the last one if there is none in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = ready()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"{what}: not in {seconds:g} s; last answer {answer}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def find_postgresql() -> Path | None:
    """Return the folder of the programs of PostgreSQL; Debian keeps them out of the path."""
    initdb = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(initdb).resolve().parent if initdb else debian[-1].parent if debian else None


@contextmanager
def postgresql(programs: Path, password: str) -> Iterator[int]:
    """Run a cluster that vanishes, as compose.yaml has it; yields its port."""
    folder = Path(tempfile.mkdtemp(prefix="synth-postgresql-"))
    # PostgreSQL refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    (folder / "password").write_text(password)
    if user:
        shutil.chown(folder, "postgres")
        shutil.chown(folder / "password", "postgres")
    data, port = folder / "data", free_port()
    settings = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"

    def run(program: str, *options: str) -> None:
        command = [*user, str(programs / program), *options]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    try:
        run(
            "initdb", "--pgdata", str(data), "--username=prefect", "--encoding=UTF8",
            "--auth=scram-sha-256", f"--pwfile={folder / 'password'}",
        )  # fmt: skip
        run("pg_ctl", "start", "--wait", "-D", str(data), "-l", str(folder / "log"), "-o", settings)
        environment = {**os.environ, "PGPASSWORD": password}
        subprocess.run(
            [programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "prefect", "prefect"],
            check=True, env=environment, cwd=folder,
        )  # fmt: skip
        yield port
    finally:
        with suppress(subprocess.CalledProcessError):  # it may not have been started
            run("pg_ctl", "stop", "-D", str(data), "-m", "immediate")
        shutil.rmtree(folder)


class Topology:
    """Services on loopback, in a copy of the code where releases may be written.

    Parameters
    ----------
    folder : Path
        Where everything is kept.
    database_port : int or None
        Port of PostgreSQL; SQLite if None.
    database_password : str
        Its password.
    """

    def __init__(self, folder: Path, database_port: int | None, database_password: str) -> None:
        self.folder, self.checkout, self._started = folder, folder / "checkout", []
        for name in CODE:
            shutil.copytree(ROOT / name, self.checkout / name)
        self._with_postgresql = database_port is not None
        self._auth = ("synth", secrets.token_hex(8))
        (folder / "secrets").mkdir()
        for name, text in {
            "api_auth": self.password,
            "database_password": database_password,
            "synth_key": secrets.token_hex(32),
        }.items():
            (folder / "secrets" / name).write_text(text)
        self._port, self.scheduler_port = free_port(), free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self._replacements = {
            "http://server:4200": self.address,
            "tcp://dask-scheduler:8786": f"tcp://127.0.0.1:{self.scheduler_port}",
            "0.0.0.0": "127.0.0.1",  # noqa: S104
            "4200": str(self._port),
            "5432": str(database_port),
            "8080": str(free_port()),
            "8786": str(self.scheduler_port),
            "8789": str(free_port()),
            "database": "127.0.0.1",
            "/run/secrets": str(folder / "secrets"),
            "/var/lib/prefect-synth": str(folder / "workspace"),
            "/tmp": str(folder),  # noqa: S108
        }
        self._api = httpx.Client(base_url=f"{self.address}/api", auth=self._auth, timeout=30)

    def _here(self, text: str) -> str:
        """Replace what is different without containers."""
        names = "|".join(map(re.escape, self._replacements))
        return re.sub(
            rf"(?<![\w.-])(?:{names})(?![\w-])", lambda m: self._replacements[m.group()], text
        )

    def environment(self, name: str) -> dict[str, str]:
        """Return the variables of a service, and none of the test's own settings of Prefect."""
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT", "SYNTH"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        given = {k: self._here(v) for k, v in COMPOSE[name]["environment"].items()}
        if not self._with_postgresql:
            given = {k: v for k, v in given.items() if "DATABASE" not in k}
        # What is installed in an image is this code.
        own = {"PYTHONPATH": str(self.checkout), "PREFECT_HOME": str(self.folder / f"home-{name}")}
        return {**ours, "PATH": path, **own, **given}

    def _command(self, name: str) -> list[str]:
        entry = self.checkout / "deployments" / "with-secrets.sh"
        return [str(entry), *(self._here(part) for part in COMPOSE[name]["command"])]

    def start(self, name: str) -> None:
        """Start a service and wait until its health check is met."""
        log = self.folder / f"{name}.log"
        with log.open("a") as output:
            process = subprocess.Popen(
                self._command(name), cwd=self.checkout, env=self.environment(name),
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._started.append(process)
        check = [self._here(part) for part in COMPOSE[name]["healthcheck"]["test"][1:]]

        def healthy() -> bool:
            assert process.poll() is None, log.read_text()
            done = subprocess.run(
                check, cwd=self.checkout, env=self.environment(name), capture_output=True
            )
            return done.returncode == 0

        wait_until(f"{name} is healthy", healthy)

    def run(self, name: str) -> None:
        """Run a service that ends."""
        done = subprocess.run(
            self._command(name), cwd=self.checkout, env=self.environment(name),
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def stop(self) -> None:
        """Stop what was started, the last one first."""
        self._api.close()
        for process in reversed(self._started):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    @property
    def password(self) -> str:
        """What the interface asks for."""
        return ":".join(self._auth)

    # --- what the server knows --------------------------------------------------------------------

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask the server, again if it is busy, as Prefect's own client does."""

        def answer() -> httpx.Response | None:
            found = self._api.request(method, path, **content)
            return None if found.status_code == httpx.codes.SERVICE_UNAVAILABLE else found

        return cast("httpx.Response", wait_until(f"an answer to {path}", answer))

    def get(self, path: str, **parameters: Any) -> Any:
        """Return what the server knows."""
        return self.ask("GET", path, params=parameters).raise_for_status().json()

    def post(self, path: str, content: Any) -> Any:
        """Tell the server something; return its answer."""
        answer = self.ask("POST", path, json=content).raise_for_status()
        return answer.json() if answer.content else None

    def find(self, what: str, **filters: Any) -> list[dict[str, Any]]:
        """List objects of the server, such as `flow_runs`, that meet filters."""
        return list(self.post(f"/{what}/filter", filters))

    def start_run(self, deployment: str, **parameters: Any) -> str:
        """Start a run as the form in the interface does; return its id."""
        identifier = self.get(f"/deployments/name/{deployment}")["id"]
        content = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.post(f"/deployments/{identifier}/create_flow_run", content)["id"])

    def finished(self, run: str) -> dict[str, Any]:
        """Wait until a run has ended; return it."""

        def ended() -> dict[str, Any] | None:
            found = self.get(f"/flow_runs/{run}")
            return dict(found) if found["end_time"] is not None else None

        return cast("dict[str, Any]", wait_until(f"the end of run {run}", ended))
