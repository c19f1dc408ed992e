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
    return argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        epilog="\n".join(["examples:", *lines, "", "exit codes:", *_bullets(exit_codes)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _bullets(exit_codes: str) -> list[str]:
    return [f"  {part}" for part in exit_codes.split("; ")]
