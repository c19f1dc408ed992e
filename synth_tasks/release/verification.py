"""Checking a release with nothing but its folder and, if it is signed, the publisher's key."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from pathlib import Path

from synth_tasks.errors import IntegrityError, SpecError
from synth_tasks.release.events import LEDGER
from synth_tasks.release.integrity import (
    MANIFEST,
    REMEDY,
    ROOT,
    SIGNATURE,
    is_folder,
)
from synth_tasks.release.places import Folder, Place, as_place
from synth_tasks.release.seeds import SALT_BYTES, commitment
from synth_tasks.release.signatures import require_signed_ledger, require_signed_withdrawal
from synth_tasks.release.signing import (
    MAX_KEY_BYTES,
    PUBLIC_KEY,
    fingerprint,
    is_signed_by,
    require_library,
)
from synth_tasks.release.tombstone import refuse_withdrawn


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of an intact release.

    Parameters
    ----------
    root : str
        Merkle root: one number for all of it.
    n_files : int
        Number of files, without manifest and signature.
    signer : str or None
        Fingerprint of the key that has signed it.
    trusted : bool
        Whether that key was given by the caller rather than found in the release.
    has_ledger : bool
        Whether a ledger beside the release says that it was not withdrawn.
    """

    root: str
    n_files: int
    signer: str | None
    trusted: bool
    has_ledger: bool


def verify_release(release: Path | Place, public_key: bytes | None = None) -> Verdict:
    """Make sure that a release is what was published, to the byte, and was not withdrawn.

    A ledger beside it is checked too: its chain of hashes, its signature if the release is signed, and
    that it knows of no withdrawal of the release.

    Parameters
    ----------
    release : Path or Place
        The release, or a link such as ``latest`` to it.
    public_key : bytes, optional
        The publisher's key in PEM, from somewhere else than the release. Without it a signature is
        checked by the key in the release, which whoever has made a false release has put there too.

    Returns
    -------
    Verdict

    Raises
    ------
    IntegrityError
        One line that says what is wrong.
    SpecError
        If the folder is not there or the key is no key.
    """
    place = _find(release)
    # The signature first: what the manifest says counts only if it is the publisher's.
    signer = _check_signature(place, public_key)
    if signer is not None:
        key = _read(place, PUBLIC_KEY) if public_key is None else public_key
        require_signed_withdrawal(place, key)
        require_signed_ledger(place.parent(), key)
    refuse_withdrawn(place)
    manifest = place.check_contents()
    return Verdict(
        root=manifest[ROOT],
        n_files=len(manifest["files"]),
        signer=signer,
        trusted=public_key is not None,
        has_ledger=place.parent().has(LEDGER),
    )


def _find(release: Path | Place) -> Place:
    if not isinstance(release, Path):
        return release
    if not is_folder(release):
        raise SpecError(f"{release} is no folder: name the folder of a release")
    return Folder(release.resolve())


def check_commitment(release: Path | Place, seed: int, salt: str) -> None:
    """Make sure that a release was made with the seed that its publisher names now.

    Parameters
    ----------
    release : Path or Place
        The release, which was verified.
    seed : int
        The seed.
    salt : str
        That of the commitment, as hexadecimal digits.

    Raises
    ------
    IntegrityError
        If the manifest commits to another seed.
    SpecError
        If there is no commitment, or the salt is none.
    """
    try:
        found = bytes.fromhex(salt)
    except ValueError:
        found = b""
    if len(found) != SALT_BYTES:  # of any length, digits could pass from the seed to the salt
        raise SpecError(f"--salt must have {2 * SALT_BYTES} hexadecimal digits")
    place = as_place(release)
    recorded = place.manifest().get("seed")
    committed = recorded.get("commitment") if isinstance(recorded, dict) else None
    if not isinstance(committed, str):
        raise SpecError(f"{place.at()} commits to no seed: leave --seed and --salt out")
    if not hmac.compare_digest(committed.encode(), commitment(seed, found).encode()):
        raise IntegrityError(
            f"{place.at()} commits to another seed, or the salt is that of another data set"
        )


def _check_signature(place: Place, given: bytes | None) -> str | None:
    signed, published = (_is_there(place, name) for name in (SIGNATURE, PUBLIC_KEY))
    if not signed and given is None and not published:
        return None
    if not signed:
        raise IntegrityError(f"{place.at(SIGNATURE)} is missing: {REMEDY}")
    if not published and given is None:
        raise IntegrityError(f"{place.at(PUBLIC_KEY)} is missing: {REMEDY}")
    require_library()
    if given is not None:
        key, origin = given, "--public-key"
        signer = fingerprint(key, origin)
    else:
        key, origin = _read(place, PUBLIC_KEY), PUBLIC_KEY
        try:
            signer = fingerprint(key, origin)
        except SpecError:
            raise IntegrityError(f"{place.at(PUBLIC_KEY)} is no key: {REMEDY}") from None
    if not is_signed_by(key, place.manifest_bytes(), _read(place, SIGNATURE), origin):
        raise IntegrityError(
            f"{place.at(SIGNATURE)} is no signature of {MANIFEST} by the key of {origin}: one of "
            f"the three was changed, or another key has signed: {REMEDY}"
        )
    return signer


def _is_there(place: Place, name: str) -> bool:
    return place.read(name, MAX_KEY_BYTES) is not None


def _read(place: Place, name: str) -> bytes:
    """Read a small file; a link or a pipe has no bytes, which are neither key nor signature."""
    return place.read(name, MAX_KEY_BYTES) or b""
