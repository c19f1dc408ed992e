"""Addresses of files and folders: paths of this machine, and URLs of some stores that fsspec knows.

Credentials never stand in an address: each kind of store finds them where its own tools look
(environment, configuration files, the identity of the machine), or is given them apart as options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from synth_tasks.errors import SpecError, StorageError, SynthError, TransientError

# Libraries behind the stores, whose own exceptions are no OSError; their texts may quote anything.
TRANSPORTS = frozenset(
    {
        *("aiobotocore", "aiohttp", "azure", "botocore", "ftplib", "gcsfs", "google", "paramiko"),
        *("requests", "smbprotocol"),
    }
)
# What holds files by itself. Much else that fsspec knows unpacks archives, or leaves copies on disk.
STORES = (
    *("file", "s3", "s3a", "gs", "gcs", "abfs", "az", "http", "https"),
    *("sftp", "ssh", "ftp", "smb", "hdfs", "webhdfs"),
)
IN_MEMORY = "memory"  # gone with its process: for trials, and not named in errors
CHAIN = "::"
# A host with a port, a bucket or container, or the name that Amazon gives to an access point.
AUTHORITY = re.compile(r"arn:[\w:-]+|(\[[0-9A-Fa-f:.]+\]|[^@:\[\]]*)(:\d+)?")
EXTRAS = {"s3": "s3", "s3a": "s3"}


def is_url(location: str) -> bool:
    """Tell whether an address is a URL rather than a path."""
    return "://" in location


def open_location(
    url: str, setting: str, options: Mapping[str, str] | None = None
) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it.

    Parameters
    ----------
    url : str
        For example ``s3://bucket/folder``.
    setting : str
        Where the URL comes from, for errors.
    options : mapping of str to str, optional
        Options of the file system, credentials among them.

    Returns
    -------
    filesystem : fsspec.AbstractFileSystem
    path : str

    Raises
    ------
    SpecError
        If it holds credentials, is of no kind in `STORES`, or an extra is missing.
    StorageError
        If the store refuses.
    """
    scheme = _check_url(url, setting)
    try:
        with readable_store("open", url):
            filesystem, path = url_to_fs(url, **(options or {}))
    except ImportError:
        extra = EXTRAS.get(scheme)
        remedy = f"pip install 'prefect-synth[{extra}]'" if extra else "install its fsspec package"
        raise SpecError(f"{setting}: {scheme}:// needs another package: {remedy}") from None
    except (TypeError, ValueError):  # no host, no bucket, or options that the store does not know
        raise SpecError(
            f"{setting}: a {scheme}:// URL cannot be opened like this: check host or bucket, path, and "
            "the storage options of the block if there is one"
        ) from None
    return filesystem, path


def _check_url(url: str, setting: str) -> str:
    """Return the scheme of a URL; refuse one that holds credentials, or of another kind.

    No part of a refused URL is shown: a password may stand anywhere in it.
    """
    scheme, _, rest = url.partition("://")
    if CHAIN in url or scheme not in (*STORES, IN_MEMORY):
        known = ", ".join(f"{store}://" for store in STORES)
        raise SpecError(
            f"{setting}: a URL must begin with one of {known}, and hold no '{CHAIN}': correct it, or "
            "give a path"
        )
    # Of http:///user:password@host the first slash is one too many.
    authority = (rest if scheme == "file" else rest.lstrip("/")).partition("/")[0]
    if "?" in rest or AUTHORITY.fullmatch(authority) is None:
        raise SpecError(
            f"{setting}: a URL must not hold user, password or a query (?...): give them to the "
            "store's own configuration, e.g. environment variables"
        )
    return scheme


def local_path(location: str, setting: str) -> Path | None:
    """Return the path of a location on this machine; None for one elsewhere."""
    if not is_url(location):
        return Path(location)
    filesystem, path = open_location(location, setting)
    return Path(path) if isinstance(filesystem, LocalFileSystem) else None


def require_local(location: str, setting: str) -> Path:
    """Return the path of a location, which has to be on this machine."""
    path = local_path(location, setting)
    if path is None:
        raise SpecError(
            f"{setting}: {location} is not on this machine: give a folder here, e.g. a copy of it"
        )
    return path


def is_of_a_transport(error: Exception) -> bool:
    """Tell whether an error is of a library behind a store."""
    return type(error).__module__.partition(".")[0] in TRANSPORTS


# Other errors of a store are those of the way to it.
LASTING = (
    *(FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError),
    NotImplementedError,
)


@contextmanager
def readable_store(action: str, location: str) -> Iterator[None]:
    """Turn what a store or its library raises into one line that names the address."""
    try:
        yield
    except (SynthError, ImportError):
        raise
    except (OSError, NotImplementedError) as error:  # the latter where a store cannot be written to
        reason = getattr(error, "strerror", None) or type(error).__name__
        lasting = isinstance(error, LASTING)
        kind = StorageError if lasting else TransientError
        raise kind(f"cannot {action} {location}: {reason}") from None
    except Exception as error:
        if not is_of_a_transport(error):
            raise
        raise TransientError(f"cannot {action} {location}: {type(error).__name__}") from None
