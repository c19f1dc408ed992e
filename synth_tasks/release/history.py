"""The history of the releases of a data set: ``<target>/<dataset>/ledger.json``.

An event is only ever added: a version was published, or withdrawn. Each carries the SHA-256 of the one
before, so that no event can be changed or left out without all later ones telling. There are no dates:
equal histories are equal bytes. Versions and tombstones are the truth; an event that a killed run has
not written is added by the next one.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from synth_tasks.errors import IntegrityError, SynthError
from synth_tasks.files import readable_errors
from synth_tasks.release.bundle import write_json
from synth_tasks.release.integrity import ROOT, read_manifest
from synth_tasks.release.stores import FolderStore
from synth_tasks.release.tombstone import check_tombstone, is_withdrawn

LEDGER = "ledger.json"
PUBLISHED, WITHDRAWN = "published", "withdrawn"
MAX_LEDGER_BYTES = 64_000_000
Event = dict[str, Any]


def read_ledger(folder: Path) -> list[Event]:
    """Return the events of a data set, oldest first, after making sure that none was changed.

    Parameters
    ----------
    folder : Path
        Of all releases of the data set.

    Returns
    -------
    list of dict
        ``number``, ``event``, ``version`` and ``previous``; of a published version also ``digest``,
        ``merkle_root``, ``m``, ``sets``, ``policy_digest`` and ``gate``, of a withdrawn one ``reason``
        and ``name``.

    Raises
    ------
    IntegrityError
        If an event does not follow from the one before.
    """
    path = folder / LEDGER
    if not os.path.lexists(path):
        return []
    try:
        if not path.is_symlink() and path.stat().st_size <= MAX_LEDGER_BYTES:
            events = json.loads(path.read_bytes())["events"]
            if all(
                (item["number"], item["previous"]) == (number, _hash(events[: number - 1]))
                and isinstance(item["version"], str)
                and item["event"] in (PUBLISHED, WITHDRAWN)
                for number, item in enumerate(events, start=1)
            ):
                return list(events)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise IntegrityError(
        f"{path} was changed: restore it from a copy, or remove it to have it made anew from the "
        "versions that are there"
    )


def _hash(before: list[Event]) -> str:
    """Return the hash of the last of the events before, which holds those of all others."""
    text = json.dumps(before[-1], sort_keys=True) if before else ""
    return hashlib.sha256(text.encode()).hexdigest()


def update_ledger(releases: FolderStore) -> list[Event]:
    """Add what is not in the ledger yet; return all events.

    A version whose manifest or tombstone is damaged is left for the time when it is restored. The
    caller holds `one_writer`.
    """
    known = read_ledger(releases.folder)
    events = list(known)
    recorded = {(item["event"], item["version"]) for item in events}
    for version in releases.versions():
        for found in _events_of(releases.folder / version):
            if (found["event"], version) not in recorded:
                chain = {"number": len(events) + 1, "previous": _hash(events)}
                events.append({**chain, "version": version, **found})
    if events != known:
        with readable_errors("write the ledger of", releases.folder):
            write_json(
                releases.folder / LEDGER, {"dataset": releases.folder.name, "events": events}
            )
    return events


def _events_of(folder: Path) -> list[Event]:
    try:
        manifest = read_manifest(folder)
        found: list[Event] = [{"event": PUBLISHED, **_summary(manifest)}]
        if is_withdrawn(folder):
            record = check_tombstone(folder)
            found.append({"event": WITHDRAWN, "reason": record["reason"], "name": record["name"]})
    except SynthError:
        return []
    return found


def _summary(manifest: dict[str, Any]) -> Event:
    synthesis, gates = manifest.get("synthesis", {}), manifest.get("gates", [])
    failed = [gate["severity"] for gate in gates if not gate["passed"]]
    return {
        "digest": manifest["digest"],
        "merkle_root": manifest.get(ROOT),
        "m": synthesis.get("m"),
        "sets": synthesis.get("sets"),
        "policy_digest": manifest.get("policy_digest"),
        "gate": {
            "checks": len(gates),
            "critical": failed.count("critical"),
            "warnings": failed.count("warning"),
        },
    }
