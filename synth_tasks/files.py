"""Writing files so that a reader sees all of one or nothing of it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from synth_tasks.errors import StorageError, TransientError

CHUNK = 1 << 20
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def read_limited(path: Path | str, limit: int) -> bytes:
    """Read a file to its end, or to `limit` bytes; never wait for a pipe, or read a device without end.

    Parameters
    ----------
    path : path
        The file, or a link to it.
    limit : int
        One more byte than is allowed, so that a file that is too long is known by its length.

    Returns
    -------
    bytes

    Raises
    ------
    OSError
        If it cannot be opened, or is something else than a file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        # Asked of the open file: the name may lead to another one by now.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


def write_atomically(
    path: Path, write: Callable[[IO[bytes]], object], mode: int = PRIVATE_FILE
) -> None:
    """Write to a temporary name in the same folder, flush to disk, then rename.

    Parameters
    ----------
    path : Path
        Where the file is to be.
    write : callable
        Gets an open binary file.
    mode : int
        Permissions, whatever the umask.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Make what was written to a file, or renamed in a folder, outlive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int) -> None:
    """Make a folder and its missing parents.

    Parameters
    ----------
    folder : Path
        What is to be there.
    mode : int
        Permissions of each folder that is made, whatever the umask.
    """
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for path in reversed(missing):
        path.mkdir(mode=mode, exist_ok=True)
        path.chmod(mode)


def make_private_folder(folder: Path) -> None:
    """Make a folder and its missing parents that only the owner can enter."""
    make_folder(folder, PRIVATE_FOLDER)


def open_private(path: Path, flags: int) -> int:
    """Open a file with mode 0600, whatever the umask; refuse a link.

    Parameters
    ----------
    path : Path
        The file; it is made if it is not there.
    flags : int
        As `os.open` takes them.

    Returns
    -------
    int
        File descriptor.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
    os.fchmod(descriptor, PRIVATE_FILE)
    return descriptor


def refuse_links(root: Path, path: Path) -> None:
    """Refuse a path on which a link could lead out of a folder.

    Parameters
    ----------
    root : Path
        The folder; it may itself be reached by a link, which its owner has chosen.
    path : Path
        A path below it.

    Raises
    ------
    StorageError
        If any part of the path below `root` is a link.
    """
    below = path.relative_to(root).parts
    for count in range(1, len(below) + 1):
        part = root.joinpath(*below[:count])
        if part.is_symlink():
            raise StorageError(f"{part} is a link: put the folder or file itself there")


# What disks, network file systems and busy machines recover from; rights and missing files are none.
PASSING = {
    *(errno.EIO, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.EREMOTEIO),
    *(errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNABORTED, errno.ECONNREFUSED, errno.EPIPE),
    *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENOLCK),
}


def storage_error(error: OSError) -> type[StorageError]:
    """Return the class of error that tells whether the same may work a little later."""
    return TransientError if error.errno in PASSING else StorageError


@contextmanager
def readable_errors(action: str, path: Path | str) -> Iterator[None]:
    """Turn an error of the operating system into one line that names the file."""
    try:
        yield
    except OSError as error:
        raise storage_error(error)(
            f"cannot {action} {path}: {error.strerror or type(error).__name__}"
        ) from None
