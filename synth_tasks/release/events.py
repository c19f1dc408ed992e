"""The file ``<target>/<dataset>/ledger.json``: events that are only ever added.

Each event carries its own SHA-256 and that of the one before, so that none can be changed or left out
without the hashes telling. Whoever changes an event can compute all hashes anew: against that stands a
signature, ``ledger.json.sig``, or a copy. There are no dates: equal histories are equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from synth_tasks.errors import IntegrityError
from synth_tasks.release.integrity import ROOT, canonical
from synth_tasks.release.places import Place, as_place

LEDGER, LEDGER_SIGNATURE = "ledger.json", "ledger.json.sig"
PUBLISHED, WITHDRAWN = "published", "withdrawn"
MAX_LEDGER_BYTES = 64_000_000
Event = dict[str, Any]


def read_ledger(releases: Path | Place) -> list[Event]:
    """Return the events of a data set, oldest first, after making sure that none was changed.

    Parameters
    ----------
    releases : Path or Place
        Folder of all releases of the data set.

    Returns
    -------
    list of dict
        ``number``, ``event``, ``version``, ``merkle_root``, ``previous`` and ``hash``; of a published
        version also ``digest``, ``request_digest`` (None, or not there, of releases that were made
        before there was one), ``m``, ``sets``, ``sets_so_far``, ``policy``, ``policy_digest``, ``gate``
        and ``worst``, of a withdrawn one ``reason`` and ``name``.

    Raises
    ------
    IntegrityError
        If an event is not what was written, or does not follow from the one before.
    """
    place = as_place(releases)
    data = place.read(LEDGER, MAX_LEDGER_BYTES)
    return [] if data is None else parse_events(data, place.at(LEDGER))


def parse_events(data: bytes, path: object) -> list[Event]:
    """Return the events in the bytes of a ledger; `path` is named in errors. See `read_ledger`."""
    try:
        events = json.loads(data)["events"]
        if isinstance(events, list) and all(
            isinstance(item, dict)
            and item == _chained(events[: number - 1], item)
            and isinstance(item["version"], str)
            and isinstance(item.get("sets", 0), int | None)
            and ROOT in item
            and item["event"] in (PUBLISHED, WITHDRAWN)
            and (item["event"] == PUBLISHED or _says_why(item))
            for number, item in enumerate(events, start=1)
        ):
            return events
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise _changed(path)


def _says_why(event: Event) -> bool:
    return isinstance(event["reason"], str) and isinstance(event["name"], str)


def find_withdrawal(events: list[Event], root: str | None) -> Event | None:
    """Return the event by which the release with a Merkle root was withdrawn; None if there is none."""
    withdrawals = (event for event in events if event["event"] == WITHDRAWN)
    return next((event for event in withdrawals if event[ROOT] == root is not None), None)


def add_event(events: list[Event], found: Event) -> list[Event]:
    """Return the events with one more, which is numbered and follows from the last."""
    return [*events, _chained(events, found)]


def ledger_bytes(dataset: str, events: list[Event]) -> bytes:
    """Return the content of the file."""
    return canonical({"dataset": dataset, "events": events})


def _chained(before: list[Event], event: Event) -> Event:
    content = {key: value for key, value in event.items() if key != "hash"}
    content |= {
        "number": len(before) + 1,
        "previous": before[-1]["hash"] if before else hashlib.sha256().hexdigest(),
    }
    text = json.dumps(content, sort_keys=True)
    return {**content, "hash": hashlib.sha256(text.encode()).hexdigest()}


def _changed(path: object) -> IntegrityError:
    return IntegrityError(
        f"{path} was changed: restore it from a copy, or remove it to have it made anew from the "
        "versions that are there"
    )
