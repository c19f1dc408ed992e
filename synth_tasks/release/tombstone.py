"""What stays of a withdrawn release: its manifest, and a README that says why.

``withdrawal.json`` names the version, the SHA-256 of the manifest, who has withdrawn it, and why; the
README is made from it. Nothing else may be in the folder but signatures and their public key.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synth_tasks.errors import IntegrityError, SpecError
from synth_tasks.release.events import find_withdrawal, read_ledger
from synth_tasks.release.integrity import (
    MANIFEST,
    REMEDY,
    ROOT,
    SIGNATURE,
    canonical,
    check_root,
)
from synth_tasks.release.places import Place, as_place
from synth_tasks.release.signing import PUBLIC_KEY

RECORD, RECORD_SIGNATURE = "withdrawal.json", "withdrawal.json.sig"
README = "README.md"
MAX_RECORD_BYTES = 10_000
MAX_WORDS = 500
KEPT = (MANIFEST, SIGNATURE, PUBLIC_KEY)
REMAINS = (RECORD, RECORD_SIGNATURE, README, *KEPT)
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


def is_withdrawn(release: Path | Place) -> bool:
    """Tell whether a release was withdrawn."""
    return as_place(release).has(RECORD)


def refuse_tombstone(release: Path | Place) -> None:
    """Raise an error with the reason if a tombstone is all that there is of a release."""
    if is_withdrawn(release):
        raise withdrawn(as_place(release).at(), check_tombstone(release))


def refuse_withdrawn(release: Path | Place) -> None:
    """Raise an error with the reason if a release was withdrawn, by its tombstone or by the ledger.

    A copy of the release brings its data back and takes the tombstone away; the ledger still knows.

    Raises
    ------
    IntegrityError
        If it was withdrawn, or tombstone, ledger or manifest is damaged.
    """
    refuse_tombstone(release)
    place = as_place(release)
    if events := read_ledger(place.parent()):
        event = find_withdrawal(events, place.manifest().get(ROOT))
        if event is not None:
            raise withdrawn(place.at(), event)


def withdrawn(location: str, record: Mapping[str, str]) -> IntegrityError:
    """Return the error for a release that was withdrawn; the record says by whom, and why."""
    return IntegrityError(
        f"{location} was withdrawn by {record['name']}: {record['reason']}: use another version; the "
        "same data and specification are not released again"
    )


def check_tombstone(release: Path | Place) -> dict[str, str]:
    """Return the record of a withdrawal after making sure that nothing else is left of the release.

    Raises
    ------
    IntegrityError
        One line that names the file that is wrong.
    """
    place = as_place(release)
    record, readme = read_record(place)
    for name in sorted(place.files()):
        if name not in REMAINS:
            raise IntegrityError(
                f"{place.at(name)} is there although the release was withdrawn: remove it"
            )
    if place.read(README, MAX_RECORD_BYTES) != readme:
        raise IntegrityError(f"{place.at(README)} was changed after the withdrawal: {REMEDY}")
    return record


def read_record(place: Place) -> tuple[dict[str, str], bytes]:
    """Return the record of a withdrawal, which is of the manifest beside it, and its README.

    Raises
    ------
    IntegrityError
        If one of the two is damaged, or the record is of another manifest.
    """
    data, manifest = place.manifest_bytes(), place.manifest()
    check_root(manifest, data, place.at())
    record = _parse_record(place.read(RECORD, MAX_RECORD_BYTES) or b"", place.at(RECORD))
    if record["manifest_sha256"] != hashlib.sha256(data).hexdigest():
        raise IntegrityError(f"{place.at(RECORD)} is of another manifest: {REMEDY}")
    return record, _readme(record, str(manifest.get("name", "the data set")))


def _parse_record(data: bytes, path: str) -> dict[str, str]:
    try:
        record = json.loads(data)
        parts = [record[key] for key in ("version", "manifest_sha256", "reason", "name")]
        lines = all(isinstance(part, str) and part.isprintable() for part in parts)
        if lines and len(record) == len(parts) and canonical(record) == data:
            return dict(record)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise IntegrityError(f"{path} is damaged: {REMEDY}")
