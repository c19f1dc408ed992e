"""Whether there is a server for a run to be reported to."""

from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.api import server_problem
from flows.release import main
from tests.deployments.topology import free_port


def nowhere() -> dict:
    url = f"http://127.0.0.1:{free_port()}/api"
    return {PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}


def test_a_server_that_answers_is_no_problem() -> None:
    assert server_problem() is None


def test_no_server_is_needed_where_none_is_named() -> None:
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert server_problem() is None


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
