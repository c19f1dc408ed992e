"""Parsers of command lines whose help shows examples and exit codes, and how commands end.

They load little, and no Prefect.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Mapping
from functools import wraps

from synth_tasks.failures import describe_failure

INTERRUPTED = 130  # as shells count: 128 and the number of the signal
Main = Callable[[list[str] | None], int]


def make_parser(
    module: str, description: str, examples: Mapping[str, str], exit_codes: str
) -> argparse.ArgumentParser:
    """Begin the parser of a command line whose help shows examples and exit codes.

    Args:
        module: What is run, e.g. flows.release.
        description: What it does, in a sentence.
        examples: Arguments by what they are good for.
        exit_codes: What each means.
    """
    lines = [f"  {what}:\n    python -m {module} {how}".rstrip() for what, how in examples.items()]
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        epilog="\n".join(["examples:", *lines, "", "exit codes:", *_bullets(exit_codes)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.register("type", None, _text)  # of all arguments that name no type of their own
    return parser


def _text(value: str) -> str:
    """Refuse an empty text: it comes from a variable of the shell that is not set."""
    if not value:
        raise argparse.ArgumentTypeError("is empty: leave it out, or give a value")
    return value


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


def _bullets(exit_codes: str) -> list[str]:
    return [f"  {part}" for part in exit_codes.split("; ")]
