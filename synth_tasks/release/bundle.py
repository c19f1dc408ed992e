"""The files of a release: writing them, and telling whether they are what the manifest says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synth_tasks.errors import SynthError
from synth_tasks.files import file_sha256, write_atomically

PUBLIC_FILE = 0o644
PUBLIC_FOLDER = 0o755
MANIFEST = "manifest.json"


def write_public(path: Path, content: str | bytes) -> None:
    """Write a file of the bundle, readable by all."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: file.write(data), mode=PUBLIC_FILE)


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys, so that equal content gives equal bytes."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_public(path, text + "\n")


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest last: it holds the checksums of all other files."""
    write_json(folder / MANIFEST, {**manifest, "files": checksums(folder)})


def checksums(folder: Path) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of every file but the manifest, by relative path."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / MANIFEST)
    return {
        p.relative_to(folder).as_posix(): {"bytes": p.stat().st_size, "sha256": file_sha256(p)}
        for p in files
    }


def read_bytes(path: Path) -> bytes | None:
    """Read a file; None if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def parse_manifest(content: bytes | None, location: str) -> dict[str, Any]:
    """Understand the manifest of the release at a location."""
    try:
        manifest = json.loads((content or b"").decode("utf-8"))
        if isinstance(manifest["digest"], str) and isinstance(manifest["files"], dict):
            return dict(manifest)
    except (ValueError, KeyError, TypeError):
        pass
    raise SynthError(
        f"{location}/{MANIFEST} is missing or damaged: restore the release or remove it"
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a release in a folder of this machine."""
    path = folder / MANIFEST
    return parse_manifest(path.read_bytes() if path.is_file() else None, str(folder))


def verify(folder: Path) -> None:
    """Raise an error if a folder is not exactly what its manifest says."""
    manifest = parse_manifest(read_bytes(folder / MANIFEST), str(folder))
    require_equal(manifest["files"], checksums(folder), str(folder))


def require_equal(expected: Mapping[str, Any], found: Mapping[str, Any], location: str) -> None:
    """Raise an error if the files at a location are not those expected, by their checksums."""
    for name in sorted({*expected, *found}):
        if expected.get(name) != found.get(name):
            state = "missing" if name not in found else "changed" if name in expected else "added"
            raise SynthError(
                f"{location}/{name} was {state} after publication: restore the release or remove it"
            )
