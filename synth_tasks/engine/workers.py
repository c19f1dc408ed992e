"""Spreading sets over threads or processes. Which, and how many, never changes a result."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, Literal, TypeVar

from threadpoolctl import threadpool_limits

from synth_tasks.errors import PlanError

Executors = Literal["threads", "processes"]
Result = TypeVar("Result")


def check_workers(workers: int, executor: str) -> None:
    """Refuse settings that start no worker."""
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise PlanError("workers must be a whole number of 1 or more")
    if executor not in ("threads", "processes"):
        raise PlanError("executor must be 'threads' or 'processes'")


def run_all(
    function: Callable[..., Result],
    items: Iterable[Any],
    workers: int,
    executor: str,
    step: Callable[[], None],
    steps_an_item: int = 1,
) -> list[Result]:
    """Call a function for every item.

    Parameters
    ----------
    function : callable
        Takes an item and, in threads, `step` to be called `steps_an_item` times. For processes it must
        be importable, or a partial of such a function.
    items : iterable
        What to work on.
    workers : int
        Threads or processes.
    executor : {"threads", "processes"}
        Processes pay off where methods spend their time in Python; they are started anew, so the
        calling script needs its ``if __name__ == "__main__"``.
    step : callable
        Reports progress.
    steps_an_item : int, default 1
        Steps that an item stands for.

    Returns
    -------
    list
        Results in the order of the items.
    """
    # Native threads beside ours would compete with them; one each is fastest and always the same.
    with threadpool_limits(1), _start(workers, executor) as pool:
        if executor == "threads":
            return list(pool.map(lambda item: function(item, step), items))
        results = []
        for result in pool.map(function, items):
            results.append(result)
            for _ in range(steps_an_item):
                step()
        return results


def _start(workers: int, executor: str) -> Executor:
    if executor == "threads":
        return ThreadPoolExecutor(max_workers=workers)
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_one_native_thread)


def _one_native_thread() -> None:
    threadpool_limits(1)
