"""Dask as runner: a cluster of the run's own, or one that is there and may be lost in mid-run.

A client that loses its scheduler cancels what it has submitted. What it was about to send is lost
without a word, and would be waited for without end: whenever the connection is a new one, everything is
cancelled, and `flows.runners.do_by` begins anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from prefect.task_runners import TaskRunner

from synth_tasks.errors import SpecError, SynthError
from synth_tasks.release.sections import RunSpec

SECONDS_A_LOOK = 1.0
ENVIRONMENT = {
    # Dask reports the life of its cluster in dozens of lines that nobody needs.
    "DASK_LOGGING__DISTRIBUTED": "warning",
    # A worker that compiles or sorts does not answer for a while, and is not lost for that.
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "120s",
}


def make_dask_runner(run: RunSpec, seconds: int) -> TaskRunner[Any]:
    """Return a runner that connects when it is first used.

    Args:
        run: The section `run` of the specification.
        seconds: How long a scheduler is waited for.

    Raises:
        SpecError: If prefect-dask is not installed.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from prefect_dask import DaskTaskRunner
    except ImportError:
        raise SpecError(
            "run.runner is dask, but prefect-dask is not installed: "
            "python -m pip install 'prefect-synth[dask]', or set run.runner to processes"
        ) from None
    if run.scheduler is not None:
        return DaskTaskRunner(address=run.scheduler, client_kwargs={"timeout": seconds})
    own_cluster = {"n_workers": run.workers, "threads_per_worker": 1, "dashboard_address": None}
    return DaskTaskRunner(cluster_kwargs=own_cluster | run.options)


@contextmanager
def connected(run: RunSpec, runner: Any) -> Iterator[None]:
    """Keep a runner connected with its scheduler, and see to it that nothing lost is waited for.

    Args:
        run: The section `run` of the specification.
        runner: From `make_dask_runner`, entered.

    Raises:
        SynthError: If the scheduler does not answer, or a task took several workers with it.
    """
    from distributed.scheduler import KilledWorker

    try:
        client = runner.client
    except OSError:
        where = run.scheduler or "the cluster of the run"
        raise SynthError(
            f"run.scheduler: no scheduler of Dask answers at {where}: start it, or leave "
            "run.scheduler out for a cluster of the run's own"
        ) from None
    ended = Event()
    watch = Thread(target=_cancel_when_lost, args=(client, ended), daemon=True)
    watch.start()
    try:
        yield
    except KilledWorker as error:
        raise SynthError(
            f"a task of Dask ended with its worker {error.allowed_failures + 1} times, as when memory "
            "is short: give workers more (run.options.memory_limit), or fewer at a time (run.workers)"
        ) from None
    finally:
        ended.set()
        watch.join()


def losses() -> tuple[type[BaseException], ...]:
    """List what is raised when the connection with the scheduler was lost."""
    from distributed.client import ClosedClientError, FutureCancelledError
    from distributed.comm.core import CommClosedError

    return (FutureCancelledError, ClosedClientError, CommClosedError)


def _cancel_when_lost(client: Any, ended: Event) -> None:
    from distributed import Future

    connection = client.scheduler_comm
    while not ended.wait(SECONDS_A_LOOK):
        if client.status == "running" and client.scheduler_comm is not connection:
            connection = client.scheduler_comm
            client.cancel([Future(key, client) for key in list(client.futures)])
