"""Whether the ledger and a withdrawal are what the publisher has signed.

The signature of the ledger is over all of its bytes: a ledger that was begun before there was a key is
signed as a whole with the first release that is signed. From then on one without signature is the work
of a run without the key, of one that was killed between the two files, or of somebody else. Readers
cannot tell and refuse it; the publisher's next run with the key signs it.
"""

from __future__ import annotations

from pathlib import Path

from synth_tasks.errors import IntegrityError
from synth_tasks.release.events import LEDGER, LEDGER_SIGNATURE, MAX_LEDGER_BYTES
from synth_tasks.release.places import Place, as_place
from synth_tasks.release.signing import is_signed_by
from synth_tasks.release.tombstone import RECORD, RECORD_SIGNATURE

SIGNATURE_BYTES = 64


def refuse_other_signature(releases: Path | Place, public_key: bytes) -> None:
    """Raise an error if the ledger is signed, but not as it is and by this key.

    Parameters
    ----------
    releases : Path or Place
        Folder of all releases of the data set.
    public_key : bytes
        The publisher's, in PEM.

    Raises
    ------
    IntegrityError
        If it was changed, or another key has signed it.
    """
    place = as_place(releases)
    signature = place.read(LEDGER_SIGNATURE, SIGNATURE_BYTES)
    if signature is not None and not _holds(place, LEDGER, signature, public_key):
        raise IntegrityError(
            f"{place.at(LEDGER)} was changed, or another key has signed it: restore it from a copy, "
            f"or, if the key is new and the file is right, remove {LEDGER_SIGNATURE}"
        )


def require_signed_ledger(releases: Path | Place, public_key: bytes) -> None:
    """Raise an error if there is a ledger, but none that is signed as it is and by this key.

    See `refuse_other_signature`; this one is for readers.
    """
    _require(as_place(releases), LEDGER, LEDGER_SIGNATURE, public_key)


def require_signed_withdrawal(release: Path | Place, public_key: bytes) -> None:
    """Raise an error if there is a withdrawal, but none that is signed as it is and by this key."""
    _require(as_place(release), RECORD, RECORD_SIGNATURE, public_key)


def _require(place: Place, name: str, signature_name: str, public_key: bytes) -> None:
    signature = place.read(signature_name, SIGNATURE_BYTES)
    if signature is None:
        if place.read(name, MAX_LEDGER_BYTES) is not None:
            raise IntegrityError(
                f"{place.at(name)} is not signed although the release is: anybody may have written it: "
                f"restore {signature_name} from a copy, or ask the publisher"
            )
    elif not _holds(place, name, signature, public_key):
        raise IntegrityError(
            f"{place.at(name)} was changed, or another key has signed it: restore it from a copy, or "
            "ask the publisher"
        )


def _holds(place: Place, name: str, signature: bytes, public_key: bytes) -> bool:
    data = place.read(name, MAX_LEDGER_BYTES)
    if not data or not signature:
        return False
    return is_signed_by(public_key, data, signature, "the key")
