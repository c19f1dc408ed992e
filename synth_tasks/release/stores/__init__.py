"""Where releases are published: a folder, or a store of `locations.STORES`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synth_tasks.errors import SpecError
from synth_tasks.release.locations import local_path
from synth_tasks.release.stores.base import VERSION_PATTERN, Published, ReleaseStore
from synth_tasks.release.stores.folder import FolderStore
from synth_tasks.release.stores.remote import RemoteStore

__all__ = [
    "VERSION_PATTERN",
    "FolderStore",
    "Published",
    "ReleaseStore",
    "RemoteStore",
    "open_release",
    "open_store",
    "target_path",
]


def open_store(target: str, dataset: str, options: Mapping[str, str] | None = None) -> ReleaseStore:
    """Open the releases of a data set.

    Parameters
    ----------
    target : str
        Folder or URL of the releases of all data sets; ``file://`` is a folder.
    dataset : str
        Name of the data set.
    options : mapping of str to str, optional
        Options of the file system, for a URL.

    Returns
    -------
    ReleaseStore
    """
    folder = target_path(target)
    if folder is not None:
        return FolderStore(folder, dataset)
    return RemoteStore(target, dataset, options)


def open_release(location: str) -> tuple[ReleaseStore, str]:
    """Open the releases of the data set that a release at a URL belongs to.

    Parameters
    ----------
    location : str
        ``<url>/<dataset>/<version>``, or ``latest`` for the version that it names.

    Returns
    -------
    releases : ReleaseStore
    version : str
        Whether or not it is there.

    Raises
    ------
    SpecError
        If it is no such URL, or `latest` names nothing.
    """
    scheme, _, path = location.partition("://")
    target, *names = path.rstrip("/").rsplit("/", 2)
    if len(names) != 2:
        raise SpecError(f"RELEASE: {location} is no release: name <url>/<dataset>/<version>")
    dataset, version = names
    releases = open_store(f"{scheme}://{target}", dataset)
    if version == "latest":
        named = releases.latest()
        if named is None:
            raise SpecError(f"RELEASE: {location} names no version: no release is left there")
        version = named
    return releases, version


def target_path(target: str) -> Path | None:
    """Return the folder that a target means, in full; None for a target elsewhere."""
    path = local_path(target, "publish.to")
    return None if path is None else path.absolute()
