"""Hashes of our own code: unchanged data are computed again only if it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from synth_tasks import __version__
from synth_tasks.release.packages import package_versions

# Folders and files that decide what is drawn, and in which order its rows are published.
ENGINE = (
    "data",
    "disclosure/row_groups.py",
    "engine",
    "expressions.py",
    "inference/design.py",
    "inference/formula.py",
    "inference/newton.py",
    "inference/ordinal.py",
    "release/disclosure_control.py",
    "release/division.py",
    "release/parts.py",
    "release/plans.py",
    "release/predictor_entries.py",
    "release/stages.py",
    "sdc",
    "seeding.py",
    "tasks/context.py",
    "tasks/control.py",
    "tasks/impute.py",
    "tasks/made.py",
    "tasks/part_ingest.py",
    "tasks/part_made.py",
    "tasks/part_models.py",
    "tasks/synthesize.py",
    "utility/grouping.py",
    "utility/pair.py",
    "utility/tables.py",
)


@cache
def engine_digest() -> str:
    """Return a hash of the code that decides what is drawn.

    A changed engine makes a new release even if data and specification are the same.
    """
    return _source_digest(_package(), ENGINE)


@cache
def stage_digest() -> str:
    """Return a hash of all code and what it is built on: finished stages of others are not used."""
    versions = "\n".join(f"{name} {version}" for name, version in package_versions().items())
    return hashlib.sha256(f"{_source_digest(_package(), ['.'])}\n{versions}".encode()).hexdigest()


def _package() -> Path:
    return Path(str(resources.files("synth_tasks")))


def _source_digest(root: Path, names: Sequence[str]) -> str:
    """Hash some files, and all Python files below some folders."""
    digest = hashlib.sha256(__version__.encode())
    places = [root / name for name in names]
    found = {file for place in places for file in [place, *place.rglob("*.py")] if file.is_file()}
    for path in sorted(found):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
