"""Taking a release back: its data go, its manifest and the reason stay.

The tombstone is built beside the version and takes its place by two renames::

    `latest` moves to the newest version that stays, or goes
    <version> -> .withdrawn-<version>      from here on the release is withdrawn
    .tombstone-<version> -> <version>
    the data are removed, the ledger is written

A run that is killed before the first rename leaves the release as it was; after it, the next run on the
releases goes on to the end. At no time are parts of the data there, and at no time does `latest` name
anything but a whole release.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from synth_tasks.errors import SpecError
from synth_tasks.files import make_private_folder, readable_errors, sync_folder
from synth_tasks.release.bundle import PUBLIC_FOLDER, write_public
from synth_tasks.release.events import read_ledger
from synth_tasks.release.history import update_ledger
from synth_tasks.release.integrity import (
    MANIFEST,
    check_root,
    is_folder,
    manifest_bytes,
    parse_manifest,
)
from synth_tasks.release.signing import Signer
from synth_tasks.release.stores import VERSION_PATTERN, FolderStore
from synth_tasks.release.stores.locks import one_writer
from synth_tasks.release.tombstone import (
    KEPT,
    RECORD,
    RECORD_SIGNATURE,
    is_withdrawn,
    make_tombstone,
    refuse_withdrawn,
)

DRAFT, ASIDE = ".tombstone-", ".withdrawn-"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What was done.

    Parameters
    ----------
    folder : Path
        The tombstone.
    latest : str or None
        The version that `latest` names now.
    """

    folder: Path
    latest: str | None


def withdraw(folder: Path, *, reason: str, name: str, signer: Signer | None = None) -> Withdrawal:
    """Remove the data of a release and say why.

    Parameters
    ----------
    folder : Path
        The release, or a link such as ``latest`` to it.
    reason, name : str
        Why, and who has decided it; both are published.
    signer : Signer, optional
        Signs the withdrawal and the ledger.

    Returns
    -------
    Withdrawal

    Raises
    ------
    SpecError
        If it is no release, or reason or name is not one line.
    IntegrityError
        If it was withdrawn before, or its manifest is damaged.
    StorageError
        If files cannot be changed.
    """
    folder = folder.resolve()
    if not VERSION_PATTERN.match(folder.name):
        raise SpecError(f"{folder} is no release: name a folder <dataset>/<version>")
    releases = FolderStore(folder.parent.parent, folder.parent.name)
    if not is_folder(releases.folder):
        raise SpecError(f"{releases.folder} is not there: name the folder of a release")
    with one_writer(releases.folder), readable_errors("withdraw", folder):
        finish_withdrawals(releases, signer)
        if not folder.is_dir():
            raise SpecError(f"{folder} is not there: name the folder of a release")
        refuse_withdrawn(folder)
        read_ledger(releases.folder)
        _build(folder, reason, name, signer)
        named = _named(releases)
        _move_latest(releases, leaving=folder.name)
        try:
            _swap(folder)
        except OSError:  # the release stays
            if named is not None:
                releases.point_latest(named)
            raise
        latest = finish_withdrawals(releases, signer)
    return Withdrawal(folder, latest)


def _build(folder: Path, reason: str, name: str, signer: Signer | None) -> None:
    manifest = manifest_bytes(folder)
    check_root(parse_manifest(manifest, folder / MANIFEST), manifest, folder)
    files = make_tombstone(manifest, version=folder.name, reason=reason, name=name)
    if signer is not None:
        files[RECORD_SIGNATURE] = signer.sign(files[RECORD])
    draft = folder.with_name(DRAFT + folder.name)
    make_private_folder(draft)
    try:
        for kept in KEPT:
            if (folder / kept).is_file() and not (folder / kept).is_symlink():
                write_public(draft / kept, (folder / kept).read_bytes())
        for file, content in files.items():
            write_public(draft / file, content)
        draft.chmod(PUBLIC_FOLDER)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _swap(folder: Path) -> None:
    draft, aside = folder.with_name(DRAFT + folder.name), folder.with_name(ASIDE + folder.name)
    os.rename(folder, aside)
    try:
        os.rename(draft, folder)
    except OSError:
        os.rename(aside, folder)
        raise
    sync_folder(folder.parent)


def has_unfinished(releases: FolderStore) -> bool:
    """Tell whether a killed run has left a withdrawal unfinished."""
    return any(any(releases.folder.glob(f"{prefix}*")) for prefix in (DRAFT, ASIDE))


def finish_withdrawals(releases: FolderStore, signer: Signer | None = None) -> str | None:
    """Bring what a killed run has begun to its end; return what `latest` names.

    The caller holds `one_writer`.
    """
    if not releases.folder.is_dir():
        return None
    for draft in releases.folder.glob(f"{DRAFT}*"):
        version = draft.with_name(draft.name.removeprefix(DRAFT))
        if version.exists():
            shutil.rmtree(draft)  # killed before the first rename
        else:
            os.rename(draft, version)
    latest = _move_latest(releases)
    for aside in releases.folder.glob(f"{ASIDE}*"):
        if is_withdrawn(aside.with_name(aside.name.removeprefix(ASIDE))):
            shutil.rmtree(aside)
    update_ledger(releases, signer)
    return latest


def _named(releases: FolderStore) -> str | None:
    link = releases.folder / "latest"
    return os.readlink(link) if link.is_symlink() else None


def _move_latest(releases: FolderStore, leaving: str = "") -> str | None:
    """Let `latest` name a version that is neither withdrawn nor about to be; return which."""
    named = _named(releases)
    if named is None:
        return None
    if Path(named).name != leaving and not is_withdrawn(releases.folder / named):
        return named
    remaining = [
        v for v in releases.versions() if v != leaving and not is_withdrawn(releases.folder / v)
    ]
    if not remaining:
        (releases.folder / "latest").unlink()
        sync_folder(releases.folder)
        return None
    releases.point_latest(remaining[-1])
    return remaining[-1]
