"""The history of the releases of a data set: what was published and withdrawn, and what is known by it.

Versions and tombstones are the truth; an event that a killed run has not written is added by the next
one. What was published stays counted after it was withdrawn, and after its folder has gone: people have
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synth_tasks.errors import IntegrityError, StorageError, TransientError
from synth_tasks.release.events import (
    LEDGER,
    LEDGER_SIGNATURE,
    MAX_LEDGER_BYTES,
    PUBLISHED,
    WITHDRAWN,
    Event,
    add_event,
    find_withdrawal,
    ledger_bytes,
    parse_events,
    read_ledger,
)
from synth_tasks.release.integrity import ROOT
from synth_tasks.release.places import Place
from synth_tasks.release.signatures import refuse_other_signature
from synth_tasks.release.signing import Signer
from synth_tasks.release.stores import ReleaseStore
from synth_tasks.release.tombstone import (
    check_tombstone,
    is_withdrawn,
    refuse_withdrawn,
    withdrawn,
)

# By each of these a release is told to be of the same data and specification. The first two stand in
# the ledger, all but the second in a manifest that was made before there were digests of requests.
SAME_REQUEST = (("digest",), ("request_digest",), ("data_digest", "spec_digest"))


def update_ledger(releases: ReleaseStore, signer: Signer | None = None) -> list[Event]:
    """Add what is not in the ledger yet; return all events.

    A version whose manifest or tombstone is damaged is left for the time when it is restored; one that
    was published under a name that another release has had is a release more. The caller holds
    `ReleaseStore.alone`.

    With a signer the ledger is signed, once it is sure that what was there is what the same key has
    signed. Without one, a signature that would not hold any more is removed.

    Raises
    ------
    IntegrityError
        If the ledger was changed.
    TransientError
        If another run has written it meanwhile, where nothing can be locked: what one of the two has
        not kept of the other, the next run adds.
    """
    place = releases.place()
    known = read_ledger(place)
    if signer is not None:
        refuse_other_signature(place, signer.public_pem)
    events = list(known)
    for version in releases.versions():
        for found in _events_of(releases.place(version)):
            events = append_new(events, {"version": version, **found})
    if events != known:
        with releases.readable("write the ledger of"):
            releases.remove(LEDGER_SIGNATURE)
            releases.write(LEDGER, ledger_bytes(releases.dataset, events))
    if signer is not None and events and not place.has(LEDGER_SIGNATURE):
        _sign(releases, events, signer)
    if read_ledger(place) != events:
        raise _overtaken(place)
    return events


def _sign(releases: ReleaseStore, events: list[Event], signer: Signer) -> None:
    """Sign the ledger with these events; a signature of another one does not stay."""
    place = releases.place()
    data = place.read(LEDGER, MAX_LEDGER_BYTES) or b""
    if parse_events(data, place.at(LEDGER)) != events:
        raise _overtaken(place)
    with releases.readable("write the ledger of"):
        releases.write(LEDGER_SIGNATURE, signer.sign(data))
        if place.read(LEDGER, MAX_LEDGER_BYTES) != data:
            releases.remove(LEDGER_SIGNATURE)


def _overtaken(place: Place) -> TransientError:
    return TransientError(f"{place.at(LEDGER)}: another run is writing it: run again")


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


def refuse_changed_versions(releases: ReleaseStore) -> None:
    """Raise an error if a version is not the release that the ledger has under its name.

    Raises
    ------
    IntegrityError
        If the manifest has another Merkle root.
    """
    roots: dict[str, set[str]] = {}
    for event in read_ledger(releases.place()):
        if event["event"] == PUBLISHED:
            roots.setdefault(event["version"], set()).add(event[ROOT])
    for version in releases.versions():
        for found in _events_of(releases.place(version))[:1]:
            if version in roots and found[ROOT] not in roots[version]:
                raise IntegrityError(
                    f"{releases.location(version)} is not what the ledger says was published under "
                    "this name: restore the release, or withdraw it"
                )


def refuse_given(releases: ReleaseStore, version: str) -> None:
    """Raise an error if a version of this name was published before, even if it has gone."""
    if any(event["version"] == version for event in read_ledger(releases.place())):
        raise StorageError(f"{releases.location(version)} was published before: run again")


def refuse_withdrawn_request(releases: ReleaseStore, asked: Mapping[str, Any]) -> None:
    """Raise an error if the same data and specification were released before, and withdrawn.

    The ledger counts, even if the tombstone has gone or a copy of the data has taken its place. What an
    event of long ago does not hold, the manifest of the version does.

    Parameters
    ----------
    releases : ReleaseStore
        All releases of the data set.
    asked : mapping
        ``digest``, ``request_digest``, ``data_digest`` and ``spec_digest`` of the release that is asked
        for, as its manifest has them.

    Raises
    ------
    IntegrityError
        With the reason, and who has withdrawn it.
    """
    events = read_ledger(releases.place())
    for event in events:
        if event["event"] == PUBLISHED and _is_same(event, asked):
            withdrawal = find_withdrawal(events, event[ROOT])
            if withdrawal is not None:
                raise withdrawn(releases.location(event["version"]), withdrawal)
    for version in releases.versions():
        place = releases.place(version)
        if _is_same(_readable_manifest(place), asked):
            refuse_withdrawn(place)


def _is_same(known: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    return any(
        all(known.get(key) is not None and known[key] == asked.get(key) for key in keys)
        for keys in SAME_REQUEST
    )


def _readable_manifest(release: Place) -> Mapping[str, Any]:
    """Return the manifest of a version; nothing of a damaged one, which says nothing of itself."""
    try:
        return release.manifest()
    except IntegrityError:
        return {}


def is_taken_back(release: Place, events: list[Event]) -> bool:
    """Tell whether a version was withdrawn, even if a copy has brought its data back."""
    root = _readable_manifest(release).get(ROOT)
    return is_withdrawn(release) or find_withdrawal(events, root) is not None


def _events_of(release: Place) -> list[Event]:
    try:
        manifest = release.manifest()
        found: list[Event] = [{"event": PUBLISHED, **summary(manifest)}]
        if is_withdrawn(release):
            record = check_tombstone(release)
            found.append(
                {
                    "event": WITHDRAWN,
                    ROOT: manifest.get(ROOT),
                    "reason": record["reason"],
                    "name": record["name"],
                }
            )
    except IntegrityError:
        return []
    return found


def summary(manifest: dict[str, Any]) -> Event:
    """Return what the ledger keeps of a manifest: figures and names that are public in it."""
    synthesis, gates = manifest.get("synthesis", {}), manifest.get("gates", [])
    failed = [gate["severity"] for gate in gates if not gate["passed"]]
    return {
        "digest": manifest["digest"],
        "request_digest": manifest.get("request_digest"),
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
