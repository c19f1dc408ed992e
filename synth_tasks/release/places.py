"""Where a release or the releases of a data set are: a folder of this machine, or one of a store."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from synth_tasks.release.integrity import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    check_contents,
    damaged,
    list_files,
    parse_manifest,
    small_file,
)


class Place(ABC):
    """What the checks of ledgers, withdrawals and releases have to know of a place."""

    @abstractmethod
    def at(self, name: str = "") -> str:
        """Return path or URL of the place, or of a file in it."""

    @abstractmethod
    def read(self, name: str, limit: int) -> bytes | None:
        """Read a small file.

        Parameters
        ----------
        name : str
            Its path within the place.
        limit : int
            Bytes that it has at most.

        Returns
        -------
        bytes or None
            None if nothing is there; no bytes at all if what is there is longer, no file, or cannot be
            read, so that it is found to be damaged by whoever needs its content.
        """

    @abstractmethod
    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name."""

    @abstractmethod
    def files(self) -> Iterable[str]:
        """Name all files by their path within the place."""

    @abstractmethod
    def check_contents(self) -> dict[str, Any]:
        """Return the manifest of a release, once it is sure that every byte is what it says."""

    @abstractmethod
    def parent(self) -> Place:
        """Return the place that this one is in."""

    def manifest_bytes(self) -> bytes:
        """Return the manifest as it is stored."""
        data = self.read(MANIFEST, MAX_MANIFEST_BYTES)
        if not data:
            raise damaged(self.at(MANIFEST))
        return data

    def manifest(self) -> dict[str, Any]:
        """Read the manifest of a release; its form is checked, not what it says."""
        return parse_manifest(self.manifest_bytes(), self.at(MANIFEST))


class Folder(Place):
    """A folder of this machine.

    Parameters
    ----------
    path : Path
        The folder, which need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def at(self, name: str = "") -> str:
        """Return the path of the folder, or of a file in it."""
        return str(self.path / name)

    def read(self, name: str, limit: int) -> bytes | None:
        """Read a small file; one behind a link counts as damaged."""
        path = self.path / name
        return small_file(path, limit) if os.path.lexists(path) else None

    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        return (self.path / name).is_file()

    def files(self) -> Iterable[str]:
        """Name all files; refuse links, pipes and empty folders."""
        return list_files(self.path)

    def parent(self) -> Folder:
        """Return the folder that this one is in, wherever links such as ``latest`` lead from."""
        return Folder(Path(os.path.realpath(self.path)).parent)

    def check_contents(self) -> dict[str, Any]:
        """Return the manifest of a release, once it is sure that every byte is what it says."""
        return check_contents(self.path)


def as_place(where: Path | Place) -> Place:
    """Return a place; a path is a folder of this machine."""
    return Folder(where) if isinstance(where, Path) else where
