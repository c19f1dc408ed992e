"""Whether the ledger and a withdrawal are what the publisher has signed."""

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
    _check(as_place(releases), LEDGER, LEDGER_SIGNATURE, public_key)


def refuse_other_withdrawal(release: Path | Place, public_key: bytes) -> None:
    """Raise an error if the withdrawal of a release is signed, but not as it is and by this key."""
    _check(as_place(release), RECORD, RECORD_SIGNATURE, public_key)


def _check(place: Place, name: str, signature_name: str, public_key: bytes) -> None:
    signature = place.read(signature_name, SIGNATURE_BYTES)
    if signature is None:
        return
    data = place.read(name, MAX_LEDGER_BYTES)
    if not data or not signature or not is_signed_by(public_key, data, signature, "the key"):
        raise IntegrityError(
            f"{place.at(name)} was changed, or another key has signed it: restore it from a copy, or, "
            f"if the key is new and the file is right, remove {signature_name}"
        )
