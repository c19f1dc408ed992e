"""Locks on folders of releases: they leave no file and go with the process that holds them.

No clock is asked: whether a run is alive is told by its lock, not by the age of what it has made.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synth_tasks.files import make_folder, readable_errors, refuse_links
from synth_tasks.release.bundle import PUBLIC_FOLDER

FOLDER_ONLY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Let one process at a time change the releases of a data set; others wait.

    The lock is on the folder itself and leaves no file among the releases.
    """
    with readable_errors("change the releases in", folder):
        refuse_links(folder.parent, folder)
        make_folder(folder, PUBLIC_FOLDER)
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def hold(folder: Path) -> int:
    """Lock a folder until the descriptor that is returned is closed; a rename keeps the lock."""
    descriptor = os.open(folder, FOLDER_ONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def is_abandoned(folder: Path) -> bool:
    """Tell whether a folder of this user is locked by no process."""
    try:
        descriptor = os.open(folder, FOLDER_ONLY)
    except OSError:  # a link, or a folder of another user, whose runs tidy up themselves
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
