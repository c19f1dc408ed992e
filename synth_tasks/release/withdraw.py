"""Taking a release back: its data go, its manifest and the reason stay.

In a folder the tombstone is built beside the version and takes its place by two renames::

    `latest` moves to the newest version that stays, or goes
    <version> -> .withdrawn-<version>      from here on the release is withdrawn
    .tombstone-<version> -> <version>
    the data are removed, the ledger is written

In a store without renames `withdrawal.json` takes the place of the second step, see `stores.remote`.
A run that is killed before it leaves the release as it was; after it, the next run on the releases goes
on to the end. At no time does `latest` name anything but a whole release. One that a copy has brought
back is withdrawn all the same, for the ledger says so; withdrawing it once more removes its data again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synth_tasks.errors import IntegrityError, SpecError, StorageError
from synth_tasks.release.events import LEDGER_SIGNATURE, read_ledger
from synth_tasks.release.history import is_taken_back, update_ledger
from synth_tasks.release.integrity import SIGNATURE, check_root, is_folder
from synth_tasks.release.signing import Signer
from synth_tasks.release.stores import VERSION_PATTERN, FolderStore, ReleaseStore
from synth_tasks.release.tombstone import (
    RECORD,
    RECORD_SIGNATURE,
    is_withdrawn,
    make_tombstone,
    refuse_tombstone,
)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What was done.

    Parameters
    ----------
    location : str
        Path or URL of the tombstone.
    latest : str or None
        The version that `latest` names now.
    lacks_signature : bool
        Whether release or ledger was signed, and the withdrawal is not.
    """

    location: str
    latest: str | None
    lacks_signature: bool


def withdraw(folder: Path, *, reason: str, name: str, signer: Signer | None = None) -> Withdrawal:
    """Remove the data of a release in a folder and say why; see `withdraw_version`.

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
    SynthError
        As `withdraw_version`; a SpecError if there is no such folder.
    """
    folder = folder.resolve()
    releases = FolderStore(folder.parent.parent, folder.parent.name)
    if VERSION_PATTERN.match(folder.name) and not is_folder(releases.folder):
        raise SpecError(f"{releases.folder} is not there: name the folder of a release")
    return withdraw_version(releases, folder.name, reason=reason, name=name, signer=signer)


def withdraw_version(
    releases: ReleaseStore, version: str, *, reason: str, name: str, signer: Signer | None = None
) -> Withdrawal:
    """Remove the data of a version and say why.

    Parameters
    ----------
    releases : ReleaseStore
        All releases of the data set.
    version : str
        Name of the one that is withdrawn.
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
    location = releases.location(version)
    if not VERSION_PATTERN.match(version):
        raise SpecError(f"{location} is no release: name a folder <dataset>/<version>")
    with releases.alone(), releases.readable("withdraw", version):
        finish_withdrawals(releases, signer)
        if version not in releases.versions():
            raise SpecError(f"{location} is not there: name the folder of a release")
        refuse_tombstone(releases.place(version))
        read_ledger(releases.place())
        signed = _is_signed(releases, version)
        files = _tombstone(releases, version, reason, name, signer)
        releases.prepare_tombstone(version, files)
        named = releases.latest()
        _move_latest(releases, leaving=version)
        try:
            releases.place_tombstone(version, files)
        except (OSError, StorageError):  # the release stays
            if named is not None and not is_withdrawn(releases.place(version)):
                releases.point_latest(named)
            raise
        latest = finish_withdrawals(releases, signer)
    return Withdrawal(location, latest, lacks_signature=signed and signer is None)


def _is_signed(releases: ReleaseStore, version: str) -> bool:
    return releases.place(version).has(SIGNATURE) or releases.place().has(LEDGER_SIGNATURE)


def _tombstone(
    releases: ReleaseStore, version: str, reason: str, name: str, signer: Signer | None
) -> dict[str, bytes]:
    place = releases.place(version)
    manifest = place.manifest_bytes()
    check_root(place.manifest(), manifest, place.at())
    files = make_tombstone(manifest, version=version, reason=reason, name=name)
    if signer is not None:
        files[RECORD_SIGNATURE] = signer.sign(files[RECORD])
    return files


def finish_withdrawals(releases: ReleaseStore, signer: Signer | None = None) -> str | None:
    """Bring what a killed run has begun to its end; return what `latest` names.

    The caller holds `ReleaseStore.alone`.
    """
    if not releases.is_there():
        return None
    releases.settle_tombstones()
    latest = _move_latest(releases)
    releases.remove_withdrawn()
    update_ledger(releases, signer)
    return latest


def is_unfinished(releases: ReleaseStore) -> bool:
    """Tell whether there is a withdrawal to be brought to its end.

    A killed run leaves one, and so does a copy that brings `latest` back with the data that it named.
    """
    if releases.has_unfinished():
        return True
    try:
        named = releases.latest()
    except IntegrityError:  # it names nothing, and the next release makes it anew
        return False
    return named is not None and is_taken_back(releases.place(named), read_ledger(releases.place()))


def _move_latest(releases: ReleaseStore, leaving: str = "") -> str | None:
    """Let `latest` name a version that is neither withdrawn nor about to be; return which."""
    named = releases.latest()
    if named is None:
        return None
    events = read_ledger(releases.place())
    if Path(named).name != leaving and not is_taken_back(releases.place(named), events):
        return named
    for version in reversed(releases.versions()):
        if version != leaving and not is_taken_back(releases.place(version), events):
            releases.point_latest(version)
            return version
    releases.drop_latest()
    return None
