"""Where releases are published: a folder, or any store that fsspec knows."""

from __future__ import annotations

from pathlib import Path

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
    "open_store",
    "target_path",
]


def open_store(target: str, dataset: str) -> ReleaseStore:
    """Open the releases of a data set.

    Parameters
    ----------
    target : str
        Folder or URL of the releases of all data sets; ``file://`` is a folder.
    dataset : str
        Name of the data set.

    Returns
    -------
    ReleaseStore
    """
    folder = target_path(target)
    return RemoteStore(target, dataset) if folder is None else FolderStore(folder, dataset)


def target_path(target: str) -> Path | None:
    """Return the folder that a target means, in full; None for a target elsewhere."""
    path = local_path(target, "publish.to")
    return None if path is None else path.absolute()
