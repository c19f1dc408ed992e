"""Compiled functions: machine code on first use, kept on disk for the next process.

numba keeps machine code beside the module, or, where an installation cannot be written to, in the
user's cache folder. It notices a change of the module itself, but not of functions called from other
modules. The name of a kept function therefore holds a digest of all modules of this package.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

_LOG = logging.getLogger(__name__)


def _digest_sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


_SOURCES = _digest_sources()


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that Python calls; it runs without the interpreter's lock.

    Arithmetic is that of the source (no reordering of sums), so results are the same on every machine.
    Where no folder can be written to, it is compiled anew in every process.
    """
    function.__qualname__ += f"_{_SOURCES}"
    try:
        return njit(function, nogil=True, cache=True, error_model="numpy")
    except RuntimeError:  # numba found no place for its files
        _LOG.info("%s is compiled for this process only: set NUMBA_CACHE_DIR", function.__name__)
        return njit(function, nogil=True, error_model="numpy")


def part(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that only kernels call; it is kept on disk as part of them."""
    return njit(function, nogil=True, error_model="numpy")
