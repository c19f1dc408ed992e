"""What hostile input may cost."""

from __future__ import annotations

import faulthandler
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

HANGS = 600  # seconds, of what takes a few: no measure of speed, but an end to what does not end


@contextmanager
def bounded(megabytes: float) -> Iterator[None]:
    """Fail if more memory is used than this; what does not end, ends the tests with a traceback."""
    faulthandler.dump_traceback_later(HANGS, exit=True, file=sys.__stderr__)
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        faulthandler.cancel_dump_traceback_later()
    assert peak < megabytes * 1e6
