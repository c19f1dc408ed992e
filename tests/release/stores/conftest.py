"""The files of a store that is in memory."""

import fsspec
import pytest


@pytest.fixture
def memory():
    """The files of memory://, which all tests of a process share."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]
