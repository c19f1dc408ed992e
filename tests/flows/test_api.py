"""What all commands have in common."""

import pytest
from prefect.exceptions import TerminationSignal
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.command_line import interruptible, require_server
from flows.release import main
from tests.deployments.topology import free_port


@pytest.mark.parametrize(
    ("signal", "code", "word"),
    [(KeyboardInterrupt(), 130, "interrupted"), (TerminationSignal(15), 143, "terminated")],
)
def test_a_command_that_is_stopped_ends_in_one_line(capsys, signal, code, word):
    @interruptible
    def stopped(arguments):
        raise signal

    assert stopped([]) == code
    assert capsys.readouterr().err == (
        f"error: {word}: start it again, and it goes on with what is not finished\n"
    )


def test_other_ends_are_passed_on():
    assert interruptible(lambda arguments: len(arguments))(["--help"]) == 1
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda _: 1 // 0)()


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
