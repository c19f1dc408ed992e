"""Ending a run that hangs, even in native code that no exception of Python reaches.

An interpreter is interrupted between two of its own instructions, and a call into compiled code that
does not come back has none. A guard in a process of its own is told of every stage that is done. If the
next one takes too long, it marks the run as failed and kills its process and all that this has started.

The guard runs this file as a script, so that it costs next to nothing while there is nothing to do.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psutil

# What Python can interrupt has been by then, and ends with all its messages.
GRACE = 10.0
LOOK = 2.0
PATIENCE = 30.0
START = "the start"


@contextmanager
def guarded(
    minutes: float, setting: str = "run.timeout_minutes"
) -> Iterator[Callable[[str], None]]:
    """Kill this process if more than some minutes pass between two signs of life.

    Time is told by the monotonic clock, which nobody can set.

    Parameters
    ----------
    minutes : float
        The limit. The guard waits ten seconds more, in which Python may end the run by itself.
    setting : str
        What the user changes if it was too short.

    Yields
    ------
    callable
        Is told what is done, in words, each time that something is: a sign of life.
    """
    # The file of this module is the script of the guard, which must not load the package.
    from prefect.client.orchestration import get_client
    from prefect.runtime import flow_run

    with get_client(sync_client=True) as client:
        address = str(client.api_url)
    task = {
        "flow_run": flow_run.id,
        "parent": os.getpid(),
        "seconds": 60 * minutes + GRACE,
        "limit": f"{setting} ({minutes:g})",
    }
    guard = subprocess.Popen(  # noqa: S603  (this interpreter and this file)
        [sys.executable, "-P", __file__, json.dumps(task)],
        stdin=subprocess.PIPE,
        env={**os.environ, "PREFECT_API_URL": address},
        start_new_session=True,  # the interrupt key is for the run, not for its guard
        text=True,
        bufsize=1,
    )
    pipe: Any = guard.stdin

    def tell(done: str) -> None:
        pipe.write(f"{json.dumps(done)}\n")

    try:
        yield tell
    finally:
        pipe.close()
        guard.wait()


# --- in the process of the guard ------------------------------------------------------------------


def watch(parent: int, seconds: float) -> str | None:
    """Wait until a run ends or hangs.

    Parameters
    ----------
    parent : int
        Process of the run.
    seconds : float
        Longest time between two lines on standard input.

    Returns
    -------
    str or None
        What was done last before it hung; None if it has ended.
    """
    last, pipe, rest = START, sys.stdin.fileno(), b""
    until = time.monotonic() + seconds
    while os.getppid() == parent:
        left = until - time.monotonic()
        if left <= 0:
            return last
        # A process that the run has forked may hold the pipe open when the run is gone.
        readable, _, _ = select.select([pipe], [], [], min(left, LOOK))
        if not readable:
            continue
        read = os.read(pipe, 1 << 16)
        if not read:
            return None
        *lines, rest = (rest + read).split(b"\n")
        if lines:
            last, until = json.loads(lines[-1]), time.monotonic() + seconds
    return None


def report(flow_run: str, message: str) -> None:
    """Mark a flow run as failed, whatever its state."""
    from prefect.client.orchestration import get_client
    from prefect.states import Failed

    with get_client(sync_client=True, httpx_settings={"timeout": PATIENCE}) as client:
        client.set_flow_run_state(flow_run, Failed(message=message), force=True)


def kill_all(parent: psutil.Process) -> None:
    """Kill a process and everything that it has started, but for this process."""
    import psutil

    with suppress(psutil.NoSuchProcess):  # it may end by itself at any moment
        parent.suspend()  # or it would start others in place of those that are killed
        while alive := _started_by(parent):
            for child in alive:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            psutil.wait_procs(alive, timeout=LOOK)
        parent.kill()


def _started_by(parent: psutil.Process) -> list[psutil.Process]:
    """Return the living processes below a process, without this one."""
    import psutil

    alive = []
    for child in parent.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            # A stopped parent does not take note of their deaths.
            if child.pid != os.getpid() and child.status() != psutil.STATUS_ZOMBIE:
                alive.append(child)
    return alive


def main() -> None:
    """Guard the run that the only argument describes."""
    task = json.loads(sys.argv[1])
    last = watch(task["parent"], task["seconds"])
    if last is None:
        return
    import psutil

    run = psutil.Process(task["parent"])
    message = f"stopped: longer than {task['limit']} since the last news, '{last}': raise it"
    try:
        sys.stderr.write(f"error: {message}\n")
        report(task["flow_run"], message)
    finally:
        kill_all(run)


if __name__ == "__main__":
    main()
