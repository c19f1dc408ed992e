"""What the command lines of all flows have in common."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from synth_tasks.release.spec import ReleaseSpec, read_spec
from synth_tasks.seeding import parse_seed
from synth_tasks.tasks.context import SEED_VARIABLE

REFUSED, FAILED = 2, 1
FOLDERS = (Path(__file__).parent.parent / "deployments", Path(__file__).parent / "specs")


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


def read_specification(path: str | None, default: str) -> ReleaseSpec:
    """Read the specification that the user names, or one of ours.

    Args:
        path: File of the user.
        default: Name of ours, in `deployments` of a checkout or beside the installed flows.
    """
    ours = (folder / default for folder in FOLDERS if (folder / default).is_file())
    return read_spec(path or next(ours))


def take_seed(text: str | None) -> None:
    """Hand the seed of the command line to the flow, past the parameters that Prefect stores."""
    if text is not None:
        os.environ[SEED_VARIABLE] = str(parse_seed(text, "--seed"))
