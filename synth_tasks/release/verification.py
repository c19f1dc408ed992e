"""Checking a release with nothing but its folder and, if it is signed, the publisher's key."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass
from pathlib import Path

from synth_tasks.errors import IntegrityError, SpecError
from synth_tasks.release.integrity import (
    MANIFEST,
    REMEDY,
    ROOT,
    SIGNATURE,
    check_contents,
    is_folder,
    manifest_bytes,
    read_manifest,
)
from synth_tasks.release.seeds import SALT_BYTES, commitment
from synth_tasks.release.signatures import refuse_other_signature, refuse_other_withdrawal
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
    """

    root: str
    n_files: int
    signer: str | None
    trusted: bool


def verify_release(folder: Path, public_key: bytes | None = None) -> Verdict:
    """Make sure that a release is what was published, to the byte.

    Parameters
    ----------
    folder : Path
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
    if not is_folder(folder):
        raise SpecError(f"{folder} is no folder: name the folder of a release")
    folder = folder.resolve()
    # The signature first: what the manifest says counts only if it is the publisher's.
    signer = _check_signature(folder, public_key)
    if signer is not None:
        key = _read(folder / PUBLIC_KEY) if public_key is None else public_key
        refuse_other_signature(folder.parent, key)
        refuse_other_withdrawal(folder, key)
    refuse_withdrawn(folder)
    manifest = check_contents(folder)
    return Verdict(manifest[ROOT], len(manifest["files"]), signer, public_key is not None)


def check_commitment(folder: Path, seed: int, salt: str) -> None:
    """Make sure that a release was made with the seed that its publisher names now.

    Parameters
    ----------
    folder : Path
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
    committed = read_manifest(folder).get("seed", {}).get("commitment")
    if not isinstance(committed, str):
        raise SpecError(f"{folder} commits to no seed: leave --seed and --salt out")
    if not hmac.compare_digest(committed, commitment(seed, found)):
        raise IntegrityError(
            f"{folder} commits to another seed, or the salt is that of another data set"
        )


def _check_signature(folder: Path, given: bytes | None) -> str | None:
    signed, published = (os.path.lexists(folder / name) for name in (SIGNATURE, PUBLIC_KEY))
    if not signed and given is None and not published:
        return None
    if not signed:
        raise IntegrityError(f"{folder / SIGNATURE} is missing: {REMEDY}")
    if not published and given is None:
        raise IntegrityError(f"{folder / PUBLIC_KEY} is missing: {REMEDY}")
    require_library()
    if given is not None:
        key, origin = given, "--public-key"
        signer = fingerprint(key, origin)
    else:
        key, origin = _read(folder / PUBLIC_KEY), PUBLIC_KEY
        try:
            signer = fingerprint(key, origin)
        except SpecError:
            raise IntegrityError(f"{folder / PUBLIC_KEY} is no key: {REMEDY}") from None
    if not is_signed_by(key, manifest_bytes(folder), _read(folder / SIGNATURE), origin):
        raise IntegrityError(
            f"{folder / SIGNATURE} is no signature of {MANIFEST} by the key of {origin}: one of "
            f"the three was changed, or another key has signed: {REMEDY}"
        )
    return signer


def _read(path: Path) -> bytes:
    """Read a small file that must not be a link or a pipe."""
    if not path.is_file() or path.is_symlink():
        raise IntegrityError(f"{path} is no file: {REMEDY}")
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_BYTES + 1)
    except OSError as error:
        raise IntegrityError(f"{path} cannot be read ({error.strerror}): {REMEDY}") from None
