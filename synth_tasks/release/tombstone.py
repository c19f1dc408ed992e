"""What stays of a withdrawn release: its manifest, and a README that says why.

``withdrawal.json`` names the version, the SHA-256 of the manifest, who has withdrawn it, and why; the
README is made from it. Nothing else may be in the folder but signatures and their public key.
"""

from __future__ import annotations

import hashlib
import html
import json
from pathlib import Path
from typing import Any

from synth_tasks.errors import IntegrityError, SpecError
from synth_tasks.release.integrity import (
    MANIFEST,
    REMEDY,
    SIGNATURE,
    canonical,
    check_root,
    list_files,
    manifest_bytes,
    parse_manifest,
)
from synth_tasks.release.signing import PUBLIC_KEY

RECORD, RECORD_SIGNATURE = "withdrawal.json", "withdrawal.json.sig"
README = "README.md"
MAX_RECORD_BYTES = 10_000
MAX_WORDS = 500
KEPT = (MANIFEST, SIGNATURE, PUBLIC_KEY)
MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]()#+-.!|~>"})

TEMPLATE = """# Withdrawn

Version {version} of {dataset} was withdrawn by {name}. The reason:

> {reason}

Its data were removed. Do not use or pass on copies of them, and do not rely on results from them.
`manifest.json` holds their checksums, by which a copy can be recognised.
"""


def make_tombstone(manifest: bytes, *, version: str, reason: str, name: str) -> dict[str, bytes]:
    """Return the files that say that a release was withdrawn.

    Parameters
    ----------
    manifest : bytes
        As it was published.
    version : str
        Name of the release.
    reason, name : str
        Why, and who has decided it: one line each, for the public.

    Returns
    -------
    dict of str to bytes
        Content by file name.

    Raises
    ------
    SpecError
        If reason or name is empty, too long, or more than a line.
    """
    record = {
        "version": version,
        "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
        "reason": _one_line(reason, "--reason"),
        "name": _one_line(name, "--name"),
    }
    dataset = str(json.loads(manifest).get("name", "the data set"))
    return {RECORD: canonical(record), README: _readme(record, dataset)}


def _one_line(text: str, setting: str) -> str:
    found = text.strip()
    if not found or len(found) > MAX_WORDS or not found.isprintable():
        raise SpecError(f"{setting}: write one line of 1 to {MAX_WORDS} printable characters")
    return found


def _readme(record: dict[str, Any], dataset: str) -> bytes:
    words = {key: html.escape(record[key]).translate(MARKDOWN) for key in ("reason", "name")}
    return TEMPLATE.format(version=record["version"], dataset=dataset, **words).encode()


def is_withdrawn(folder: Path) -> bool:
    """Tell whether a release was withdrawn."""
    return (folder / RECORD).is_file()


def refuse_withdrawn(folder: Path) -> None:
    """Raise an error with the reason if a release was withdrawn."""
    if is_withdrawn(folder):
        record = check_tombstone(folder)
        raise IntegrityError(
            f"{folder} was withdrawn by {record['name']}: {record['reason']}: use another "
            "version; the same data and specification are not released again"
        )


def check_tombstone(folder: Path) -> dict[str, str]:
    """Return the record of a withdrawal after making sure that nothing else is left of the release.

    Raises
    ------
    IntegrityError
        One line that names the file that is wrong.
    """
    data = manifest_bytes(folder)
    manifest = parse_manifest(data, folder / MANIFEST)
    check_root(manifest, data, folder)
    record = _read_record(folder)
    if record["manifest_sha256"] != hashlib.sha256(data).hexdigest():
        raise IntegrityError(f"{folder / RECORD} is of another manifest: {REMEDY}")
    for name in sorted(list_files(folder)):
        if name not in (RECORD, RECORD_SIGNATURE, README, *KEPT):
            raise IntegrityError(
                f"{folder / name} is there although the release was withdrawn: remove it"
            )
    readme = folder / README
    if (
        not readme.is_file()
        or readme.stat().st_size > MAX_RECORD_BYTES
        or readme.read_bytes() != _readme(record, str(manifest.get("name", "the data set")))
    ):
        raise IntegrityError(f"{readme} was changed after the withdrawal: {REMEDY}")
    return record


def _read_record(folder: Path) -> dict[str, str]:
    path = folder / RECORD
    try:
        if not path.is_symlink() and path.stat().st_size <= MAX_RECORD_BYTES:
            data = path.read_bytes()
            record = json.loads(data)
            parts = [record[key] for key in ("version", "manifest_sha256", "reason", "name")]
            lines = all(isinstance(part, str) and part.isprintable() for part in parts)
            if lines and len(record) == len(parts) and canonical(record) == data:
                return dict(record)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise IntegrityError(f"{path} is damaged: {REMEDY}")
