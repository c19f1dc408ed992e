"""What all commands have in common."""

import httpx
import pytest
from prefect.exceptions import TerminationSignal

from flows.command_line import interruptible


@pytest.mark.parametrize(
    ("signal", "code", "word"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (TerminationSignal(15), 143, "terminated"),
        (httpx.ReadTimeout("late"), 1, "the Prefect server does not answer (ReadTimeout)"),
    ],
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
