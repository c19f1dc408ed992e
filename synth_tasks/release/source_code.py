"""Hashes of our own code: unchanged data are computed again only if it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from synth_tasks import __version__


@cache
def engine_digest() -> str:
    """Return a hash of the code that decides what is drawn.

    A changed engine makes a new release even if data and specification are the same.
    """
    package = Path(str(resources.files("synth_tasks")))
    return _source_digest(
        [
            *(package / "engine").rglob("*.py"),
            *(package / "data").rglob("*.py"),
            *(package / "sdc").rglob("*.py"),
            *(package / name for name in ("expressions.py", "seeding.py")),
            *(
                package / "inference" / name
                for name in ("ordinal.py", "newton.py", "formula.py", "design.py")
            ),
            *(
                package / "release" / name
                for name in ("stages.py", "plans.py", "disclosure_control.py")
            ),
        ],
        package,
    )


@cache
def code_digest() -> str:
    """Return a hash of all code, for deciding whether a finished stage may be used again."""
    package = Path(str(resources.files("synth_tasks")))
    return _source_digest(list(package.rglob("*.py")), package)


def _source_digest(files: Sequence[Path], root: Path) -> str:
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
