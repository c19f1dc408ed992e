"""Making a release visible and entering it in the ledger, one run at a time.

Where nothing can be locked, two runs may enter something at the same time: the versions and tombstones
are the truth, and the one that finds the other's ledger is run again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synth_tasks.release.history import (
    refuse_changed_versions,
    refuse_given,
    refuse_withdrawn_request,
    update_ledger,
)
from synth_tasks.release.integrity import read_manifest
from synth_tasks.release.signatures import refuse_other_signature
from synth_tasks.release.signing import Signer
from synth_tasks.release.stores import Published, ReleaseStore
from synth_tasks.release.tombstone import refuse_withdrawn
from synth_tasks.release.withdraw import finish_withdrawals, is_unfinished


def find_release(
    releases: ReleaseStore, asked: Mapping[str, str], signer: Signer | None = None
) -> Published | None:
    """Return the release that is asked for; what a killed run has begun is brought to its end before.

    Parameters
    ----------
    releases : ReleaseStore
        Where to look.
    asked : mapping of str to str
        ``digest`` of all that decides the release; by the other digests of its manifest one that was
        withdrawn is known again, whatever the version of the code. See `refuse_withdrawn_request`.
    signer : Signer, optional
        Has signed the ledger, and signs it again if it is added to.

    Returns
    -------
    Published or None

    Raises
    ------
    SynthError
        If the ledger or the release was changed, or the same data and specification were withdrawn:
        before any work, not after it.
    """
    if not releases.is_there():
        return None
    if signer is not None:
        refuse_other_signature(releases.place(), signer.public_pem)
    refuse_changed_versions(releases)
    if is_unfinished(releases):
        with releases.alone():
            finish_withdrawals(releases, signer)
    refuse_withdrawn_request(releases, asked)
    found = releases.find(asked["digest"])
    if found is not None:
        with releases.alone():
            update_ledger(releases, signer)
    return found


def publish_draft(
    releases: ReleaseStore, draft: Path, version: str, signer: Signer | None = None
) -> Published:
    """Verify a draft, make it visible at once, move `latest` to it and enter it in the ledger.

    Parameters
    ----------
    releases : ReleaseStore
        Where to.
    draft : Path
        A whole release, built in `ReleaseStore.staging`.
    version : str
        Its name.
    signer : Signer, optional
        Signs the ledger.

    Returns
    -------
    Published

    Raises
    ------
    IntegrityError
        If the same data and specification were withdrawn, be it while the draft was made.
    """
    with releases.alone():
        refuse_given(releases, version)
        refuse_withdrawn_request(releases, read_manifest(draft))
        published = releases.commit(draft, version)
        update_ledger(releases, signer)
    return published


def point_latest(releases: ReleaseStore, version: str, signer: Signer | None = None) -> bool:
    """Let `latest` name a version that is published; return whether it named another before.

    Raises
    ------
    IntegrityError
        If the version was withdrawn, even if a copy has brought its data back.
    """
    with releases.alone():
        refuse_withdrawn(releases.place(version))
        moved = releases.point_latest(version)
        update_ledger(releases, signer)
    return moved
