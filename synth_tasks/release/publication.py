"""Making a release visible and entering it in the ledger, one run at a time.

The ledger and withdrawals need renames and locks, which only folders have. Another store keeps whole
releases all the same: there the manifest, written last, and the claim of a run take their place.
"""

from __future__ import annotations

from pathlib import Path

from synth_tasks.release.history import one_writer, update_ledger
from synth_tasks.release.stores import FolderStore, Published, ReleaseStore
from synth_tasks.release.withdraw import finish_withdrawals


def finish_interrupted(releases: ReleaseStore) -> None:
    """Bring to its end what a killed run has begun: a withdrawal, or an entry in the ledger."""
    if isinstance(releases, FolderStore) and releases.folder.is_dir():
        with one_writer(releases.folder):
            finish_withdrawals(releases)


def publish_draft(releases: ReleaseStore, draft: Path, version: str) -> Published:
    """Verify a draft, make it visible at once, move `latest` to it and enter it in the ledger.

    Parameters
    ----------
    releases : ReleaseStore
        Where to.
    draft : Path
        A whole release, built in `ReleaseStore.staging`.
    version : str
        Its name.

    Returns
    -------
    Published
    """
    if not isinstance(releases, FolderStore):
        return releases.commit(draft, version)
    with one_writer(releases.folder):
        published = releases.commit(draft, version)
        update_ledger(releases)
    return published


def point_latest(releases: ReleaseStore, version: str) -> bool:
    """Let `latest` name a version that is published; return whether it named another before."""
    if not isinstance(releases, FolderStore):
        return releases.point_latest(version)
    with one_writer(releases.folder):
        moved = releases.point_latest(version)
        update_ledger(releases)
    return moved
