"""How commands end that need no Prefect, and what all commands write to."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import wraps

from synth_tasks.failures import describe_failure

INTERRUPTED = 130  # as shells count: 128 and the number of the signal
Main = Callable[[list[str] | None], int]


def ends_in_one_line(failed: int) -> Callable[[Main], Main]:
    """Let a command that fails as nobody has foreseen, or is interrupted, end in one line.

    Args:
        failed: Exit code of a failure.
    """

    def decorate(main: Main) -> Main:
        @wraps(main)
        def run(arguments: list[str] | None = None) -> int:
            let_terminal_differ()
            try:
                return main(arguments)
            except KeyboardInterrupt:
                sys.stderr.write("error: interrupted\n")
                return INTERRUPTED
            except Exception as error:
                sys.stderr.write(f"error: {describe_failure(error, 'the command')}\n")
                return failed

        return run

    return decorate


def let_terminal_differ() -> None:
    """Let a letter that the terminal does not know be a question mark instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
