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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from synth_tasks.errors import SynthError
from synth_tasks.files import (
    make_folder,
    make_private_folder,
    readable_errors,
    refuse_links,
    sync_folder,
)
from synth_tasks.release.bundle import PUBLIC_FOLDER, verify
from synth_tasks.release.events import read_ledger
from synth_tasks.release.integrity import read_manifest
from synth_tasks.release.stores.base import Published, ReleaseStore
from synth_tasks.release.stores.locks import hold, is_abandoned, one_writer


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
        self.folder = target / dataset

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

    def manifest(self, version: str) -> dict[str, Any]:
        """Read the manifest of a version."""
        return read_manifest(self.folder / version)

    def verify(self, version: str) -> None:
        """Raise an error if a version is not exactly what its manifest says, or was withdrawn."""
        verify(self.folder / version)

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
        verify(draft)
        for folder in [draft, *(p for p in draft.rglob("*") if p.is_dir())]:
            folder.chmod(PUBLIC_FOLDER)
        os.rename(draft, self.folder / version)
        sync_folder(self.folder)
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
        sync_folder(self.folder)
        return True
