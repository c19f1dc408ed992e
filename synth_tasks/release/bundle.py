"""The published bundle: built in staging, verified, renamed at once.

<target>/<dataset>/<version>/   data/ inference/ validation/ datapackage.json manifest.json
                                report.html README.md
<target>/<dataset>/latest       link to the newest version
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from synth_tasks.errors import SynthError
from synth_tasks.files import (
    make_folder,
    make_private_folder,
    readable_errors,
    refuse_links,
    sync_folder,
    write_atomically,
)
from synth_tasks.release.integrity import (
    MANIFEST,
    canonical,
    check_contents,
    read_manifest,
    seal,
)
from synth_tasks.release.tombstone import refuse_withdrawn

PUBLIC_FILE = 0o644
PUBLIC_FOLDER = 0o755
STALE_SECONDS = 86_400
VERSION_PATTERN = re.compile(r"^(\d+)-[0-9a-f]{8}$")


@dataclass(frozen=True, slots=True)
class Published:
    """A release on disk.

    Parameters
    ----------
    folder : Path
        Its folder.
    version : str
        Its name, ``<number>-<first 8 digits of the digest>``.
    new : bool
        Whether this run has made it.
    """

    folder: Path
    version: str
    new: bool


class ReleaseFolder:
    """All releases of one data set.

    Parameters
    ----------
    target : Path
        Folder of the releases of all data sets.
    dataset : str
        Name of the data set.
    """

    def __init__(self, target: Path, dataset: str) -> None:
        self.folder = target / dataset

    def versions(self) -> list[str]:
        """Return the versions that are published, oldest first."""
        if not self.folder.is_dir():
            return []
        names = [p.name for p in self.folder.iterdir() if p.is_dir() and not p.is_symlink()]
        found = [name for name in names if VERSION_PATTERN.match(name)]
        return sorted(found, key=lambda name: int(name.split("-")[0]))

    def next_version(self, digest: str) -> str:
        """Name the next version."""
        last = max((int(name.split("-")[0]) for name in self.versions()), default=0)
        return f"{last + 1}-{digest[:8]}"

    def find(self, digest: str) -> str | None:
        """Return the version with this digest, after making sure that it is intact.

        The first digits of the digest stand in the name, so a damaged version with another name does
        not matter here.
        """
        for name in self.versions():
            if not name.endswith(f"-{digest[:8]}"):
                continue
            if read_manifest(self.folder / name)["digest"] == digest:
                verify(self.folder / name)
                return name
        return None

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give a folder to build in; what is not renamed by `commit` is removed."""
        with readable_errors("publish to", self.folder):
            refuse_links(self.folder.parent, self.folder)
            make_folder(self.folder, PUBLIC_FOLDER)
            self._check_latest()
            self._remove_stale_drafts()
            draft = self.folder / f".staging-{secrets.token_hex(6)}"
            make_private_folder(draft)
            try:
                yield draft
            finally:
                shutil.rmtree(draft, ignore_errors=True)

    def _check_latest(self) -> None:
        """Refuse a `latest` that cannot be moved, before there is anything to move it to."""
        link = self.folder / "latest"
        if link.exists() and not link.is_symlink():
            raise SynthError(f"{link} is not a link: remove it, the run makes it anew")

    def _remove_stale_drafts(self) -> None:
        """Remove what a killed run has left; a draft of a living run is never a day old."""
        for path in self.folder.glob(".staging-*"):
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(path, ignore_errors=True)

    def commit(self, draft: Path, version: str) -> Published:
        """Verify a draft, make it visible under its version and move `latest` to it."""
        verify(draft)
        for folder in [draft, *(p for p in draft.rglob("*") if p.is_dir())]:
            folder.chmod(PUBLIC_FOLDER)
        final = self.folder / version
        os.rename(draft, final)
        sync_folder(self.folder)
        self.point_latest(version)
        return Published(final, version, new=True)

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


def write_public(path: Path, content: str | bytes) -> None:
    """Write a file of the bundle, readable by all."""
    data = content.encode() if isinstance(content, str) else content
    make_folder(path.parent, PUBLIC_FOLDER)
    write_atomically(path, lambda file: file.write(data), mode=PUBLIC_FILE)


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys, so that equal content gives equal bytes."""
    write_public(path, canonical(content))


def write_data(
    folder: Path, name: str, sets: Sequence[pd.DataFrame], formats: Sequence[str]
) -> list[str]:
    """Write every set in every format.

    Returns
    -------
    list of str
        Paths relative to `folder`.
    """
    writers: dict[str, Callable[[pd.DataFrame, Path], None]] = {
        "parquet": _write_parquet,
        "csv": _write_csv,
    }
    written = []
    make_folder(folder / "data", PUBLIC_FOLDER)
    for number, frame in enumerate(sets, start=1):
        for suffix in formats:
            path = Path("data") / f"{name}-{number:0{len(str(len(sets)))}d}.{suffix}"
            writers[suffix](frame, folder / path)
            written.append(path.as_posix())
    return written


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    write_atomically(path, lambda file: frame.to_parquet(file, index=False), mode=PUBLIC_FILE)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    text = frame.to_csv(index=False, lineterminator="\n")
    write_public(path, text)


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest last: it holds the checksums of all other files, and their Merkle root."""
    write_public(folder / MANIFEST, seal(folder, manifest))


def verify(folder: Path) -> None:
    """Raise an error if a release is not exactly what its manifest says, or was withdrawn."""
    refuse_withdrawn(folder)
    check_contents(folder)
