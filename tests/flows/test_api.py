"""Whether there is a server for a run to be reported to."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows import api
from flows.api import LOG_LEVEL, server_problem
from flows.release import main
from tests.deployments.topology import free_port

ROOT = Path(__file__).parents[2]


def nowhere() -> dict:
    url = f"http://127.0.0.1:{free_port()}/api"
    return {PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}


def test_a_server_that_answers_is_no_problem() -> None:
    assert server_problem() is None


SHOWS_SERVER = """
import os, psutil
from flows.api import server_problem
assert server_problem() is None
(server,) = psutil.Process().children()
status = open(f"/proc/{server.pid}/status").read()
print(int(status.partition("SigBlk:")[2].split()[0], 16))
print(server.environ()["PREFECT_SERVER_LOGGING_LEVEL"])
print("PREFECT_SERVER_LOGGING_LEVEL" in os.environ)
"""


def test_where_none_is_named_one_is_started_that_lives_quietly_to_the_end(tmp_path) -> None:
    unnamed = {k: v for k, v in os.environ.items() if k not in ("PREFECT_API_URL", LOG_LEVEL)}
    done = subprocess.run(
        [sys.executable, "-c", SHOWS_SERVER], cwd=ROOT, capture_output=True, text=True, check=True,
        env=unnamed | {"PREFECT_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    blocked, *said = done.stdout.split()
    assert int(blocked) & 1 << signal.SIGINT - 1
    assert said == ["CRITICAL", "False"]


def test_it_tells_more_if_the_environment_asks_for_it(monkeypatch) -> None:
    monkeypatch.setenv(LOG_LEVEL, "INFO")
    told = []
    monkeypatch.setattr(api, "get_client", lambda **_: told.append(os.environ[LOG_LEVEL]))
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert server_problem() is None
    assert told == [os.environ[LOG_LEVEL]] == ["INFO"]


@pytest.mark.parametrize(
    ("error", "says"), [(ValueError, "set PREFECT_API_URL"), (RuntimeError, "does not start")]
)
def test_a_temporary_server_that_cannot_be_had_is_told(monkeypatch, error, says) -> None:
    def fails(**_):
        raise error("some text of Prefect")

    monkeypatch.setattr(api, "get_client", fails)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert says in (server_problem() or "")
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_server_that_does_not_answer_is_wrong_input_with_the_remedy(
    tmp_path, workspace_root, capsys
) -> None:
    with temporary_settings(nowhere()):
        assert main(["--to", str(tmp_path / "releases")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: no Prefect server answers at http://127.0.0.1:")
    assert "prefect server start" in told
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_asks_no_server(workspace_root, capsys) -> None:
    with temporary_settings(nowhere()):
        assert main(["--dry-run"]) == 0
