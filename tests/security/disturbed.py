"""A release in which something happens at a chosen moment.

Arguments: what happens, and those of `flows.release`. What happens is one of

``kill-before``, ``kill-after``
    the process is killed around the first rename by which a stage or a release becomes visible,
``clock``
    each such rename sets the clock of the run days or years on or back; the server keeps the time,
``hang``
    fitting never comes back from native code, and keeps the lock of the interpreter.
"""

from __future__ import annotations

import ctypes
import datetime
import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import time_machine

from flows import release
from synth_tasks.tasks import synthesize, watchdog

JUMPS = (3, -8, 400, -1000)


def makes_visible(target: str | Path) -> bool:
    """Tell whether a rename finishes a stage, or changes versions, `latest` or ledger of a release."""
    path = Path(target)
    return path.parent.name == "stages" or path.parent.parent.name == "out"


def killing(rename: Callable[..., None], before: bool) -> Callable[..., None]:
    """Return a function that renames and, where something becomes visible, kills this process."""

    def wrapped(source: Any, target: Any, **options: Any) -> None:
        if before and makes_visible(target):
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, target, **options)
        if makes_visible(target):
            os.kill(os.getpid(), signal.SIGKILL)

    return wrapped


def setting_the_clock(
    rename: Callable[..., None], traveller: time_machine.Traveller
) -> Callable[..., None]:
    """Return a function that renames and, where something becomes visible, changes the time."""
    jumps = itertools.cycle(datetime.timedelta(days=days) for days in JUMPS)

    def wrapped(source: Any, target: Any, **options: Any) -> None:
        rename(source, target, **options)
        if makes_visible(target):
            traveller.shift(next(jumps))

    return wrapped


def hang(*_: Any, **__: Any) -> None:
    """Wait for a lock that nobody opens: no signal ends it, and no thread of Python runs meanwhile."""
    mutex = ctypes.create_string_buffer(64)  # of zeros: a new one
    native = ctypes.PyDLL(None)  # which keeps the lock of the interpreter
    while True:
        native.pthread_mutex_lock(mutex)


def main() -> int:
    """Make the release, or begin it."""
    what, *arguments = sys.argv[1:]
    if what == "hang":
        watchdog.GRACE = 1.0
        synthesize.fit_synthesizer = hang  # type: ignore[assignment]
        return release.main(arguments)
    if what == "clock":
        now = datetime.datetime.now(datetime.UTC)
        with time_machine.travel(now, tick=True) as traveller:
            _replace_renames(lambda rename: setting_the_clock(rename, traveller))
            return release.main(arguments)
    _replace_renames(lambda rename: killing(rename, before=what == "kill-before"))
    return release.main(arguments)


def _replace_renames(wrap: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
    for name in ("rename", "replace"):
        setattr(os, name, wrap(getattr(os, name)))


if __name__ == "__main__":
    sys.exit(main())
