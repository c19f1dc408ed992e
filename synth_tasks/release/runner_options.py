"""Who may work on the tasks of a flow, and what each may be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Runner = Literal["threads", "processes", "dask", "ray"]
RUNNERS: tuple[Runner, ...] = ("threads", "processes", "dask", "ray")

# Options of a cluster of the run's own: of distributed.LocalCluster and of ray.init. Those that would
# load other code or open ports to other hosts are not among them.
OPTIONS: Mapping[str, frozenset[str]] = {
    "dask": frozenset({"memory_limit", "local_directory", "death_timeout", "silence_logs"}),
    "ray": frozenset({"object_store_memory", "_temp_dir"}),
}


def check_runner(runner: str, scheduler: str | None, options: Mapping[str, Any]) -> None:
    """Refuse what a runner cannot be told.

    Parameters
    ----------
    runner : str
        One of `RUNNERS`.
    scheduler : str, optional
        Address of a cluster that is there.
    options : mapping of str
        Options of a cluster of the run's own.

    Raises
    ------
    ValueError
        If the runner has no scheduler, or does not know an option.
    """
    if scheduler is not None and runner not in OPTIONS:
        raise ValueError("run.scheduler needs run.runner: dask or run.runner: ray")
    if not options:
        return
    if scheduler is not None:
        raise ValueError("run.options are for a cluster of its own: leave out run.scheduler")
    known = OPTIONS.get(runner, frozenset())
    for name in options:
        if name not in known:
            there = ", ".join(sorted(known)) if known else f"{runner} have none"
            raise ValueError(f"run.options: unknown option '{name}' for {runner}: {there}")


def started_runner(runner: str, scheduler: str | None) -> str:
    """Return the runner whose workers the run starts: threads, where a cluster is there.

    Parameters
    ----------
    runner : str
        One of `RUNNERS`.
    scheduler : str, optional
        Address of a cluster that is there.
    """
    return runner if scheduler is None else "threads"
