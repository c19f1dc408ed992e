"""deployments/compose.yaml: what runs, what may talk to what, and with which rights."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import flows
import synth_tasks

ROOT = Path(__file__).parents[2]
HERE = ROOT / "deployments"
COMPOSE = yaml.safe_load((HERE / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (HERE / "Dockerfile").read_text()
OURS = sorted(set(SERVICES) - {"database"})

every = pytest.mark.parametrize("name", SERVICES)
ours = pytest.mark.parametrize("name", OURS)


def test_server_database_worker_and_dask_are_there() -> None:
    assert list(SERVICES) == [
        "database", "server", "deploy", "worker", "dask-scheduler", "dask-worker",
    ]  # fmt: skip
    assert [n for n, s in SERVICES.items() if s.get("profiles")] == [
        "dask-scheduler",
        "dask-worker",
    ]


@every
def test_a_service_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "pid", "network_mode", "devices"} & set(service)
    user, group = service["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0


@every
def test_only_the_server_listens_on_the_host_and_only_on_loopback(name: str) -> None:
    assert SERVICES[name].get("ports", []) == (["127.0.0.1:4200:4200"] if name == "server" else [])


@every
def test_confidential_data_have_no_way_out(name: str) -> None:
    networks = SERVICES[name]["networks"]
    outside = {n for n in networks if not (COMPOSE["networks"][n] or {}).get("internal")}
    assert outside == ({"outside"} if name == "server" else set())
    if "database" in networks:
        assert name in {"database", "server"}


@every
def test_whoever_runs_on_has_a_health_check(name: str) -> None:
    service = SERVICES[name]
    if service["restart"] == "no":
        assert name == "deploy"
        return
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


def test_services_start_in_order_and_wait_until_the_other_is_ready() -> None:
    waits = {
        name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }
    assert waits == {
        "database": {},
        "server": {"database": "service_healthy"},
        "deploy": {"server": "service_healthy"},
        "worker": {"deploy": "service_completed_successfully"},
        "dask-scheduler": {"server": "service_healthy"},
        "dask-worker": {"dask-scheduler": "service_healthy"},
    }


@every
def test_only_named_volumes_are_mounted(name: str) -> None:
    sources = {volume.split(":")[0] for volume in SERVICES[name].get("volumes", [])}
    assert sources <= set(COMPOSE["volumes"])
    if name not in {"worker", "dask-worker"}:
        assert "workspace" not in sources


@every
def test_secrets_come_from_files_and_stand_in_no_variable(name: str) -> None:
    service = SERVICES[name]
    environment = service["environment"]
    for variable, value in environment.items():
        if re.search(r"PASSWORD|AUTH_STRING|KEY|SEED|TOKEN", variable):
            assert variable.endswith("_FILE"), variable
            assert Path(value).name in service["secrets"]
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    assert all(s["file"].startswith("secrets/") for s in COMPOSE["secrets"].values())
    assert "/deployments/secrets/" in (ROOT / ".gitignore").read_text().split()
    assert "deployments/secrets" in (HERE / "Dockerfile.dockerignore").read_text().split()


def test_only_who_makes_releases_has_the_key() -> None:
    assert [n for n, s in SERVICES.items() if "synth_key" in s["secrets"]] == ["worker"]
    assert [n for n, s in SERVICES.items() if "database_password" in s["secrets"]] == [
        "database", "server",
    ]  # fmt: skip


@ours
def test_nothing_is_told_to_other_hosts(name: str) -> None:
    private = {"DO_NOT_TRACK", "PREFECT_SERVER_ANALYTICS_ENABLED"}
    environment = SERVICES[name]["environment"]
    assert private <= set(environment)
    known = flows.PREFECT_SETTINGS | flows.NATIVE_THREADS
    for variable in set(environment) & set(known):
        assert environment[variable] == known[variable]


def test_the_image_has_the_user_the_version_and_the_folders_of_the_services() -> None:
    for name in OURS:
        assert SERVICES[name]["image"] == f"prefect-synth:{synth_tasks.__version__}"
        assert SERVICES[name]["user"] == "10001:10001"
    assert "--uid 10001" in DOCKERFILE
    assert "\nUSER synth\n" in DOCKERFILE
    for volume in [*SERVICES["worker"]["volumes"], *SERVICES["dask-worker"]["volumes"]]:
        assert volume.split(":")[1] in DOCKERFILE
    build = SERVICES["server"]["build"]
    assert (HERE / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).read_text() == DOCKERFILE


def test_deployments_run_in_the_folders_that_are_mounted() -> None:
    """The flows write below their current folder, which is read-only elsewhere."""
    deployed = yaml.safe_load((HERE / "prefect.yaml").read_text())["deployments"]
    workdir = re.findall(r"^WORKDIR (\S+)$", DOCKERFILE, flags=re.MULTILINE)[-1]
    mounted = {volume.split(":")[1] for volume in SERVICES["worker"]["volumes"]}
    for deployment in deployed:
        # A reproduction reads a release, and writes in the workspace only.
        parameters = deployment["parameters"]
        place = parameters["to"] if "to" in parameters else parameters["published"]
        assert f"{workdir}/{place.split('/')[0]}" in mounted


# --- what the services call -----------------------------------------------------------------------


def with_secrets(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(HERE / "with-secrets.sh"), *command],
        env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True,
    )  # fmt: skip


def test_the_entry_point_turns_files_into_variables(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("it's $HOME `x`\n")
    done = with_secrets("env", SYNTH_KEY_FILE=str(secret), OTHER_FILE=str(secret))
    assert done.returncode == 0
    assert "SYNTH_KEY=it's $HOME `x`" in done.stdout.splitlines()
    assert "SYNTH_KEY_FILE" not in done.stdout
    assert f"OTHER_FILE={secret}" in done.stdout


def test_the_entry_point_does_not_start_without_a_secret(tmp_path: Path) -> None:
    done = with_secrets("echo", "started", SYNTH_KEY_FILE=str(tmp_path / "absent"))
    assert done.returncode != 0
    assert "started" not in done.stdout


def test_the_entry_point_passes_the_exit_code_on() -> None:
    assert with_secrets("sh", "-c", "exit 7").returncode == 7


def healthy(address: str) -> int:
    command = [sys.executable, str(HERE / "healthy.py"), address]
    return subprocess.run(command, capture_output=True).returncode


def test_the_health_check_tells_whether_a_service_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert healthy(f"tcp://127.0.0.1:{port}") == 0
    assert healthy(f"tcp://127.0.0.1:{port}") == 1
    assert healthy(f"http://127.0.0.1:{port}/api/health") == 1
