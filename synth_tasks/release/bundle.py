"""The files of a release: writing them, and telling whether they are what the manifest says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synth_tasks.files import make_folder, write_atomically
from synth_tasks.release.integrity import MANIFEST, canonical, check_contents, seal
from synth_tasks.release.tombstone import refuse_withdrawn

PUBLIC_FILE = 0o644
PUBLIC_FOLDER = 0o755


def write_public(path: Path, content: str | bytes) -> None:
    """Write a file of the bundle, readable by all."""
    data = content.encode() if isinstance(content, str) else content
    make_folder(path.parent, PUBLIC_FOLDER)
    write_atomically(path, lambda file: file.write(data), mode=PUBLIC_FILE)


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys, so that equal content gives equal bytes."""
    write_public(path, canonical(content))


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest last: it holds the checksums of all other files, and their Merkle root."""
    write_public(folder / MANIFEST, seal(folder, manifest))


def verify(folder: Path) -> None:
    """Raise an error if a release is not exactly what its manifest says, or was withdrawn."""
    refuse_withdrawn(folder)
    check_contents(folder)
