"""Parsers of command lines whose help shows examples and exit codes. They load nothing else."""

from __future__ import annotations

import argparse
from collections.abc import Mapping


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


def _bullets(exit_codes: str) -> list[str]:
    return [f"  {part}" for part in exit_codes.split("; ")]
