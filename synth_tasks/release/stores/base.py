"""What every store of releases has in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_tasks.release.locations import is_url
from synth_tasks.release.places import Place
from synth_tasks.release.tombstone import refuse_withdrawn

STALE_SECONDS = 86_400
VERSION_PATTERN = re.compile(r"^(\d+)-[0-9a-f]{8}$")


@dataclass(frozen=True, slots=True)
class Published:
    """A release that readers can see.

    Parameters
    ----------
    location : str
        Its folder: a path, or a URL.
    version : str
        Its name, ``<number>-<first 8 digits of the digest>``.
    new : bool
        Whether this run has made it.
    """

    location: str
    version: str
    new: bool

    @property
    def folder(self) -> Path:
        """Its folder, for a release on this machine."""
        return Path(self.location)

    def address(self, file: str) -> str:
        """Return the URL of one of its files."""
        if is_url(self.location):
            return f"{self.location}/{file}"
        return (self.folder / file).as_uri()


class ReleaseStore(ABC):
    """All releases of one data set: whole ones, for a draft is invisible until it is complete."""

    dataset: str

    # --- what a kind of store knows -----------------------------------------------------------------

    @abstractmethod
    def location(self, version: str) -> str:
        """Return path or URL of a version."""

    @abstractmethod
    def _complete(self) -> Iterable[str]:
        """Name what is published, whether or not it is a version."""

    @abstractmethod
    def _taken(self) -> Iterable[str]:
        """Name all that a new version must not be called, published or not."""

    @abstractmethod
    def place(self, version: str = "") -> Place:
        """Return the place of a version, or of all."""

    @abstractmethod
    def staging(self) -> AbstractContextManager[Path]:
        """Give a folder of this machine to build in; what is not committed disappears."""

    @abstractmethod
    def commit(self, draft: Path, version: str) -> Published:
        """Verify a draft, make it visible at once under its version, and move `latest` to it."""

    @abstractmethod
    def point_latest(self, version: str) -> bool:
        """Let `latest` name a version; return whether it named another before."""

    @abstractmethod
    def latest(self) -> str | None:
        """Return what `latest` names; None if there is none."""

    @abstractmethod
    def drop_latest(self) -> None:
        """Remove `latest`."""

    # --- what is changed beside the releases, by `history` and `withdraw` ---------------------------

    @abstractmethod
    def is_there(self) -> bool:
        """Tell whether anything was ever published here."""

    @abstractmethod
    def alone(self) -> AbstractContextManager[None]:
        """Let no other process change the releases meanwhile, where there are locks."""

    @abstractmethod
    def readable(self, action: str, version: str = "") -> AbstractContextManager[None]:
        """Turn what the store raises into one line that names the place."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Write a file beside the versions."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file beside the versions, if it is there."""

    @abstractmethod
    def prepare_tombstone(self, version: str, files: Mapping[str, bytes]) -> None:
        """Note what shall take the place of a version, which stays as it is."""

    @abstractmethod
    def place_tombstone(self, version: str, files: Mapping[str, bytes]) -> None:
        """Let what was noted take the place of a version at once: from here on it is withdrawn."""

    @abstractmethod
    def has_unfinished(self) -> bool:
        """Tell whether a killed run has left a withdrawal unfinished."""

    @abstractmethod
    def settle_tombstones(self) -> None:
        """Decide of what a killed run has noted whether it has taken the place of a version."""

    @abstractmethod
    def remove_withdrawn(self) -> None:
        """Remove what is left of the data of withdrawn versions."""

    # --- what follows -----------------------------------------------------------------------------

    def manifest(self, version: str) -> dict[str, Any]:
        """Read the manifest of a version."""
        return self.place(version).manifest()

    def verify(self, version: str) -> None:
        """Raise an error if a version is not exactly what its manifest says, or was withdrawn."""
        refuse_withdrawn(self.place(version))
        self.place(version).check_contents()

    def versions(self) -> list[str]:
        """Return the versions that are published, oldest first."""
        found = [name for name in self._complete() if VERSION_PATTERN.match(name)]
        return sorted(found, key=_number)

    def next_version(self, digest: str) -> str:
        """Name the next version."""
        taken = [name for name in self._taken() if VERSION_PATTERN.match(name)]
        return f"{max(map(_number, taken), default=0) + 1}-{digest[:8]}"

    def find(self, digest: str) -> Published | None:
        """Return the release with this digest, after making sure that it is intact.

        The first digits of the digest stand in the name, so a damaged version with another name does
        not matter here.
        """
        for name in self.versions():
            if name.endswith(f"-{digest[:8]}") and self.manifest(name)["digest"] == digest:
                self.verify(name)
                return Published(self.location(name), name, new=False)
        return None


def _number(version: str) -> int:
    return int(version.split("-")[0])
