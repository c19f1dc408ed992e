"""What all commands have in common."""

import os
import signal
import sys
import time

import httpx
import pytest
from prefect.exceptions import TerminationSignal
from prefect.states import Completed

from flows import command_line
from flows.command_line import interruptible, run_and_show
from synth_tasks.errors import DataError
from tests.release.builders import people_spec


@pytest.mark.parametrize(
    ("stop", "code", "word"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (TerminationSignal(15), 143, "terminated"),
        (httpx.ReadTimeout("late"), 1, "the Prefect server does not answer (ReadTimeout)"),
    ],
)
def test_a_command_that_is_stopped_ends_in_one_line(capsys, stop, code, word):
    @interruptible
    def stopped(arguments):
        raise stop

    assert stopped([]) == code
    assert capsys.readouterr().err == (
        f"error: {word}: start it again, and it goes on with what is not finished\n"
    )


def test_a_command_that_fails_unforeseen_ends_in_one_line_without_values(capsys):
    assert interruptible(lambda _: int("Q918273Z"))() == 1
    error = capsys.readouterr().err
    assert error.startswith("error: the command failed: ValueError in test_command_line.py, line ")
    assert error.count("\n") == 1
    assert "Q918273Z" not in error


def test_an_error_of_this_package_says_what_it_has_to_say(capsys):
    @interruptible
    def refuse(arguments):
        raise DataError("column 'age' is empty: drop it")

    assert refuse() == 1
    assert capsys.readouterr().err == "error: column 'age' is empty: drop it\n"


def test_other_ends_are_passed_on():
    assert interruptible(lambda arguments: len(arguments))(["--help"]) == 1
    with pytest.raises(SystemExit):
        interruptible(lambda _: sys.exit(3))()


def test_a_termination_ends_a_command_from_inside(capsys):
    """Its temporary server is stopped at the end, which comes when it is left, not killed."""
    before = signal.getsignal(signal.SIGTERM)

    @interruptible
    def terminated(arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
        return 0

    assert terminated([]) == 143
    assert "terminated" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_is_done_is_0_though_its_summary_cannot_be_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command_line, "server_problem", lambda: "")

    def study(*_, return_state: bool):
        return Completed(message="study of people", data={"folder": str(tmp_path)})

    study.name = "study"
    spec = people_spec(tmp_path)
    code = run_and_show(study, spec, None, lambda folder: int("Q918273Z"), started=0.0)
    assert code == 0
    *_, why, state = capsys.readouterr().out.splitlines()
    assert why.startswith("not shown here: the summary failed: ValueError")
    assert state.startswith("study of people (")
