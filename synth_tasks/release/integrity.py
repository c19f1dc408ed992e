"""Proof that a release is what was published: checksums, and one Merkle root over all of them.

The root is that of RFC 6962, section 2.1, with SHA-256. The first byte tells leaves from nodes, so that
no file can be made up that has the hash of a node::

    leaf  = SHA-256(0x00 || entry)
    node  = SHA-256(0x01 || left || right)      left: the largest power of two that is < n leaves
    entry = len(path) (4 bytes, big-endian) || path (UTF-8) || size (8 bytes, big-endian) || SHA-256

Entries are sorted by the bytes of their paths. The manifest is an entry too, as it is without its own
key ``merkle_root``: the root stands for every byte of the release but a signature, and can be checked
with nothing but the folder.

This module imports nothing but the standard library: whoever checks a release needs no data frames.

References
----------
Laurie, Langley & Kasper (2013). Certificate Transparency. RFC 6962.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synth_tasks.errors import IntegrityError
from synth_tasks.files import file_sha256

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
ROOT = "merkle_root"
MAX_MANIFEST_BYTES = 64_000_000
REMEDY = "restore the release or remove it"


# --- the tree -------------------------------------------------------------------------------------


def merkle_root(entries: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of RFC 6962 over entries, in their order.

    Parameters
    ----------
    entries : sequence of bytes
        What the leaves stand for.

    Returns
    -------
    bytes
        32 bytes; SHA-256 of nothing if there is no entry.
    """
    if not entries:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
    # Joining neighbours level by level, and letting an odd last one rise, gives the split of the RFC.
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        level = paired + level[len(level) - len(level) % 2 :]
    return level[0]


def entry(path: str, size: int, sha256: str) -> bytes:
    """Write a file down unambiguously: path, size in bytes and SHA-256."""
    name = path.encode()
    return struct.pack(">I", len(name)) + name + struct.pack(">Q", size) + bytes.fromhex(sha256)


def release_root(manifest: Mapping[str, Any]) -> str:
    """Return the root of a release from its manifest, whatever root the manifest itself names.

    Parameters
    ----------
    manifest : mapping
        With ``files``: size and SHA-256 by path.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    own = canonical({key: value for key, value in manifest.items() if key != ROOT})
    described = {
        MANIFEST: {"bytes": len(own), "sha256": hashlib.sha256(own).hexdigest()},
        **manifest["files"],
    }
    names = sorted(described, key=str.encode)
    return merkle_root(
        [entry(n, described[n]["bytes"], described[n]["sha256"]) for n in names]
    ).hex()


# --- the manifest ---------------------------------------------------------------------------------


def canonical(content: Any) -> bytes:
    """Write JSON in the one way in which the manifest is written and signed."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def seal(folder: Path, manifest: Mapping[str, Any]) -> bytes:
    """Return the bytes of the manifest of a folder: with the checksums of all files, and the root."""
    content = {**manifest, "files": checksums(folder)}
    return canonical({**content, ROOT: release_root(content)})


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a release; its form is checked, not what it says.

    Raises
    ------
    IntegrityError
        If it is missing, or no manifest.
    """
    return parse_manifest(manifest_bytes(folder), folder / MANIFEST)


def manifest_bytes(folder: Path) -> bytes:
    """Return the manifest as it stands in the file."""
    path = folder / MANIFEST
    data = small_file(path, MAX_MANIFEST_BYTES)
    if not data:
        raise damaged(path)
    return data


def small_file(path: Path, limit: int) -> bytes:
    """Read a file of at most `limit` bytes; no bytes if it is longer, no file, or cannot be read."""
    try:
        if stat.S_ISREG(path.lstat().st_mode) and path.stat().st_size <= limit:
            return path.read_bytes()
    except OSError:
        pass
    return b""


def parse_manifest(data: bytes, path: object) -> dict[str, Any]:
    """Read a manifest from its bytes; see `read_manifest`. `path` or URL is named in errors."""
    try:
        manifest = json.loads(data)
        if isinstance(manifest["digest"], str) and all(
            _is_checksum(found) for found in manifest["files"].values()
        ):
            return dict(manifest)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise damaged(path)


def _is_checksum(found: Any) -> bool:
    size, sha256 = found["bytes"], found["sha256"]
    is_hash = len(bytes.fromhex(sha256)) == hashlib.sha256().digest_size
    return (
        type(size) is int and 0 <= size < 1 << 64 and is_hash and set(found) == {"bytes", "sha256"}
    )


def damaged(path: object) -> IntegrityError:
    """Return the error for a manifest that is none."""
    return IntegrityError(f"{path} is missing or damaged: {REMEDY}")


def is_folder(path: Path) -> bool:
    """Tell whether a path leads to a folder; one that no folder can have does not."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


# --- the files ------------------------------------------------------------------------------------


def checksums(folder: Path) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of every file but manifest and signature, by relative path.

    Raises
    ------
    IntegrityError
        If there is anything but files and folders: a link may lead out of the release.
    """
    names = [n for n in sorted(list_files(folder)) if n not in (MANIFEST, SIGNATURE)]
    return {
        name: {"bytes": (folder / name).stat().st_size, "sha256": file_sha256(folder / name)}
        for name in names
    }


def list_files(folder: Path) -> Iterator[str]:
    """Yield the relative path of every file; refuse links, pipes and empty folders."""
    pending = [folder]
    while pending:
        place = pending.pop()
        found = list(os.scandir(place))
        if not found and place != folder:
            raise IntegrityError(f"{place} is an empty folder: {REMEDY}")
        for item in found:
            if item.is_dir(follow_symlinks=False):
                pending.append(Path(item.path))
            elif item.is_file(follow_symlinks=False):
                yield Path(item.path).relative_to(folder).as_posix()
            else:
                kind = "a link" if item.is_symlink() else "neither file nor folder"
                raise IntegrityError(f"{item.path} is {kind}: {REMEDY}")


def check_contents(folder: Path) -> dict[str, Any]:
    """Return the manifest of a release after making sure that every byte is what it says.

    Parameters
    ----------
    folder : Path
        The release.

    Returns
    -------
    dict
        Its manifest.

    Raises
    ------
    IntegrityError
        One line that names the first file that is wrong, and how many more are.
    """
    data = manifest_bytes(folder)
    manifest = parse_manifest(data, folder / MANIFEST)
    try:
        found = checksums(folder)
    except OSError as error:
        raise IntegrityError(
            f"{error.filename} cannot be read ({error.strerror}): {REMEDY}"
        ) from None
    check_files(manifest["files"], found, folder)
    check_root(manifest, data, folder)
    return manifest


def check_files(expected: Mapping[str, Any], found: Mapping[str, Any], location: object) -> None:
    """Make sure that the files at a path or URL are those expected, by their checksums."""
    wrong = [n for n in sorted({*expected, *found}) if expected.get(n) != found.get(n)]
    if wrong:
        name = wrong[0]
        state = "missing" if name not in found else "changed" if name in expected else "added"
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise IntegrityError(f"{location}/{name} was {state} after publication{more}: {REMEDY}")


def check_root(manifest: Mapping[str, Any], data: bytes, location: object) -> None:
    """Make sure that a manifest stands in the file as it was written, and names its own root."""
    try:
        intact = canonical(manifest) == data and manifest.get(ROOT) == release_root(manifest)
    except ValueError:  # signs that are no text, numbers that are no JSON
        intact = False
    if not intact:
        raise IntegrityError(
            f"{location}/{MANIFEST} was changed after publication: it does not have the Merkle root "
            f"that it names: {REMEDY}"
        )
