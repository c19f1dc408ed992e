"""Whether the ledger and a withdrawal are what the publisher has signed."""

from __future__ import annotations

import os
from pathlib import Path

from synth_tasks.errors import IntegrityError
from synth_tasks.release.events import LEDGER, LEDGER_SIGNATURE
from synth_tasks.release.signing import is_signed_by
from synth_tasks.release.tombstone import RECORD, RECORD_SIGNATURE

SIGNATURE_BYTES = 64


def refuse_other_signature(releases: Path, public_key: bytes) -> None:
    """Raise an error if the ledger is signed, but not as it is and by this key.

    Parameters
    ----------
    releases : Path
        Folder of all releases of the data set.
    public_key : bytes
        The publisher's, in PEM.

    Raises
    ------
    IntegrityError
        If it was changed, or another key has signed it.
    """
    _check(releases / LEDGER, releases / LEDGER_SIGNATURE, public_key)


def refuse_other_withdrawal(release: Path, public_key: bytes) -> None:
    """Raise an error if the withdrawal of a release is signed, but not as it is and by this key."""
    _check(release / RECORD, release / RECORD_SIGNATURE, public_key)


def _check(path: Path, signature: Path, public_key: bytes) -> None:
    if not os.path.lexists(signature):
        return
    files = (path, signature)
    whole = all(file.is_file() and not file.is_symlink() for file in files)
    if (
        not whole
        or signature.stat().st_size != SIGNATURE_BYTES
        or not is_signed_by(public_key, path.read_bytes(), signature.read_bytes(), "the key")
    ):
        raise IntegrityError(
            f"{path} was changed, or another key has signed it: restore it from a copy, or, if the "
            f"key is new and the file is right, remove {signature.name}"
        )
