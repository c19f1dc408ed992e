"""Releases in a folder of this machine: built beside their place, renamed at once.

<target>/<dataset>/<version>/   data/ inference/ validation/ datapackage.json manifest.json
                                report.html README.md
<target>/<dataset>/latest       link to the newest version
<target>/<dataset>/ledger.json  what was published and withdrawn, see `history`
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from synth_tasks.errors import SynthError
from synth_tasks.files import (
    make_folder,
    make_private_folder,
    readable_errors,
    refuse_links,
    sync,
)
from synth_tasks.release.bundle import PUBLIC_FOLDER, write_public
from synth_tasks.release.events import read_ledger
from synth_tasks.release.integrity import check_contents
from synth_tasks.release.places import Folder
from synth_tasks.release.stores.base import Published, ReleaseStore
from synth_tasks.release.stores.locks import hold, is_abandoned, one_writer
from synth_tasks.release.tombstone import KEPT, is_withdrawn

DRAFT, ASIDE = ".tombstone-", ".withdrawn-"


class FolderStore(ReleaseStore):
    """All releases of one data set in a folder.

    Parameters
    ----------
    target : Path
        Folder of the releases of all data sets.
    dataset : str
        Name of the data set.
    """

    def __init__(self, target: Path, dataset: str) -> None:
        self.folder, self.dataset = target / dataset, dataset

    def location(self, version: str) -> str:
        """Return the path of a version."""
        return str(self.folder / version)

    def _complete(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return [p.name for p in self.folder.iterdir() if p.is_dir() and not p.is_symlink()]

    def _taken(self) -> list[str]:
        """Name what is there and what ever was: a name is given once."""
        return [*self._complete(), *(event["version"] for event in read_ledger(self.folder))]

    def place(self, version: str = "") -> Folder:
        """Return the folder of a version, or of all."""
        return Folder(self.folder / version)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give a folder to build in; what is not renamed by `commit` is removed."""
        with readable_errors("publish to", self.folder):
            refuse_links(self.folder.parent, self.folder)
            make_folder(self.folder, PUBLIC_FOLDER)
            self._check_latest()
            draft = self.folder / f".staging-{secrets.token_hex(6)}"
            with one_writer(self.folder):
                self._remove_abandoned_drafts()
                make_private_folder(draft)
                living = hold(draft)
            try:
                yield draft
            finally:
                shutil.rmtree(draft, ignore_errors=True)
                os.close(living)

    def _check_latest(self) -> None:
        """Refuse a `latest` that cannot be moved, before there is anything to move it to."""
        link = self.folder / "latest"
        if link.exists() and not link.is_symlink():
            raise SynthError(f"{link} is not a link: remove it, the run makes it anew")

    def _remove_abandoned_drafts(self) -> None:
        """Remove what killed runs have left; a living run holds its draft. Called by one writer."""
        for path in self.folder.glob(".staging-*"):
            if is_abandoned(path):
                shutil.rmtree(path, ignore_errors=True)

    def commit(self, draft: Path, version: str) -> Published:
        """Verify a draft, make it visible under its version and move `latest` to it.

        The caller holds `one_writer`.
        """
        check_contents(draft)
        for folder in [draft, *(p for p in draft.rglob("*") if p.is_dir())]:
            folder.chmod(PUBLIC_FOLDER)
        os.rename(draft, self.folder / version)
        sync(self.folder)
        self.point_latest(version)
        return Published(self.location(version), version, new=True)

    def point_latest(self, version: str) -> bool:
        """Let `latest` name a version; return whether it named another before."""
        link = self.folder / "latest"
        if link.is_symlink() and os.readlink(link) == version:
            return False
        temporary = self.folder / f".latest-{secrets.token_hex(6)}"
        temporary.symlink_to(version)
        try:
            os.replace(temporary, link)
        finally:
            temporary.unlink(missing_ok=True)
        sync(self.folder)
        return True

    def latest(self) -> str | None:
        """Return what the link `latest` names; None if there is none."""
        link = self.folder / "latest"
        return os.readlink(link) if link.is_symlink() else None

    def drop_latest(self) -> None:
        """Remove `latest`."""
        (self.folder / "latest").unlink()
        sync(self.folder)

    # --- what is changed beside the releases --------------------------------------------------------

    def is_there(self) -> bool:
        """Tell whether there is a folder of releases."""
        return self.folder.is_dir()

    def alone(self) -> AbstractContextManager[None]:
        """Let one process at a time change the releases; others wait."""
        return one_writer(self.folder)

    def readable(self, action: str, version: str = "") -> AbstractContextManager[None]:
        """Turn an error of the system into one line that names the folder."""
        return readable_errors(action, self.folder / version)

    def write(self, name: str, content: bytes) -> None:
        """Write a file beside the versions."""
        write_public(self.folder / name, content)

    def remove(self, name: str) -> None:
        """Remove a file beside the versions, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def prepare_tombstone(self, version: str, files: Mapping[str, bytes]) -> None:
        """Build the tombstone beside its place."""
        folder, draft = self.folder / version, self.folder / (DRAFT + version)
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

    def place_tombstone(self, version: str, files: Mapping[str, bytes]) -> None:
        """Let the tombstone that was built take the place of a version, by two renames."""
        folder, aside = self.folder / version, self.folder / (ASIDE + version)
        os.rename(folder, aside)
        try:
            os.rename(self.folder / (DRAFT + version), folder)
        except OSError:
            os.rename(aside, folder)
            raise
        sync(self.folder)

    def has_unfinished(self) -> bool:
        """Tell whether a killed run has left a withdrawal unfinished."""
        return any(any(self.folder.glob(f"{prefix}*")) for prefix in (DRAFT, ASIDE))

    def settle_tombstones(self) -> None:
        """Let a tombstone take its place if the version has gone; remove it if not."""
        for draft in self.folder.glob(f"{DRAFT}*"):
            version = draft.with_name(draft.name.removeprefix(DRAFT))
            if version.exists():
                shutil.rmtree(draft)  # killed before the first rename
            else:
                os.rename(draft, version)

    def remove_withdrawn(self) -> None:
        """Remove what stands aside of a withdrawn version."""
        for aside in self.folder.glob(f"{ASIDE}*"):
            if is_withdrawn(aside.with_name(aside.name.removeprefix(ASIDE))):
                shutil.rmtree(aside)
