"""The history of the releases of a data set: what was published and withdrawn, and what is known by it.

Versions and tombstones are the truth; an event that a killed run has not written is added by the next
one. What was published stays counted after it was withdrawn, and after its folder has gone: people have
it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synth_tasks.errors import IntegrityError, StorageError, SynthError
from synth_tasks.files import readable_errors
from synth_tasks.release.bundle import write_public
from synth_tasks.release.events import (
    LEDGER,
    LEDGER_SIGNATURE,
    PUBLISHED,
    WITHDRAWN,
    Event,
    add_event,
    ledger_bytes,
    read_ledger,
)
from synth_tasks.release.integrity import ROOT, read_manifest
from synth_tasks.release.signatures import refuse_other_signature
from synth_tasks.release.signing import Signer
from synth_tasks.release.stores import FolderStore
from synth_tasks.release.tombstone import check_tombstone, is_withdrawn


def update_ledger(releases: FolderStore, signer: Signer | None = None) -> list[Event]:
    """Add what is not in the ledger yet; return all events.

    A version whose manifest or tombstone is damaged is left for the time when it is restored; one that
    was published under a name that another release has had is a release more. The caller holds
    `one_writer`.

    With a signer the ledger is signed, once it is sure that what was there is what the same key has
    signed. Without one, a signature that would not hold any more is removed.
    """
    known = read_ledger(releases.folder)
    if signer is not None:
        refuse_other_signature(releases.folder, signer.public_pem)
    events = list(known)
    for version in releases.versions():
        for found in _events_of(releases.folder / version):
            events = append_new(events, {"version": version, **found})
    if events != known:
        with readable_errors("write the ledger of", releases.folder):
            (releases.folder / LEDGER_SIGNATURE).unlink(missing_ok=True)
            write_public(releases.folder / LEDGER, ledger_bytes(releases.folder.name, events))
    if signer is not None and events and not (releases.folder / LEDGER_SIGNATURE).is_file():
        signature = signer.sign((releases.folder / LEDGER).read_bytes())
        write_public(releases.folder / LEDGER_SIGNATURE, signature)
    return events


def append_new(events: list[Event], found: Event) -> list[Event]:
    """Return the events with another, unless the same was recorded before."""
    key = _key(found)
    if any(_key(item) == key for item in events):
        return events
    if found["event"] == PUBLISHED:
        counted = [*events, found]
        total = sum(item["sets"] or 0 for item in counted if item["event"] == PUBLISHED)
        found = {**found, "sets_so_far": total}
    return add_event(events, found)


def _key(event: Event) -> tuple[Any, ...]:
    return event["event"], event["version"], event[ROOT]


def refuse_changed_versions(releases: FolderStore) -> None:
    """Raise an error if a version is not the release that the ledger has under its name.

    Raises
    ------
    IntegrityError
        If the manifest has another Merkle root.
    """
    roots: dict[str, set[str]] = {}
    for event in read_ledger(releases.folder):
        if event["event"] == PUBLISHED:
            roots.setdefault(event["version"], set()).add(event[ROOT])
    for version in releases.versions():
        for found in _events_of(releases.folder / version)[:1]:
            if version in roots and found[ROOT] not in roots[version]:
                raise IntegrityError(
                    f"{releases.folder / version} is not what the ledger says was published under "
                    "this name: restore the release, or withdraw it"
                )


def refuse_given(releases: FolderStore, version: str) -> None:
    """Raise an error if a version of this name was published before, even if it has gone."""
    if any(event["version"] == version for event in read_ledger(releases.folder)):
        raise StorageError(f"{releases.folder / version} was published before: run again")


def _events_of(folder: Path) -> list[Event]:
    try:
        manifest = read_manifest(folder)
        found: list[Event] = [{"event": PUBLISHED, **summary(manifest)}]
        if is_withdrawn(folder):
            record = check_tombstone(folder)
            found.append(
                {
                    "event": WITHDRAWN,
                    ROOT: manifest.get(ROOT),
                    "reason": record["reason"],
                    "name": record["name"],
                }
            )
    except SynthError:
        return []
    return found


def summary(manifest: dict[str, Any]) -> Event:
    """Return what the ledger keeps of a manifest: figures and names that are public in it."""
    synthesis, gates = manifest.get("synthesis", {}), manifest.get("gates", [])
    failed = [gate["severity"] for gate in gates if not gate["passed"]]
    return {
        "digest": manifest["digest"],
        ROOT: manifest.get(ROOT),
        "m": synthesis.get("m"),
        "sets": synthesis.get("sets"),
        "policy": manifest.get("policy"),
        "policy_digest": manifest.get("policy_digest"),
        "gate": {
            "checks": len(gates),
            "critical": failed.count("critical"),
            "warnings": failed.count("warning"),
        },
        "worst": manifest.get("worst_disclosure", {}),
    }
