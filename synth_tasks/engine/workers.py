"""Spreading sets over threads or processes. Which, and how many, never changes a result."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Literal, TypeVar

from threadpoolctl import ThreadpoolController, threadpool_limits

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
    with one_native_thread():
        if executor == "threads":
            return map_in_threads(lambda item: function(item, step), items, workers)
    with _start_processes(workers) as pool:
        results = []
        for result in pool.map(function, items):
            results.append(result)
            for _ in range(steps_an_item):
                step()
        return results


def map_in_threads(
    function: Callable[[Any], Result], items: Iterable[Any], workers: int
) -> list[Result]:
    """Return the results of a function in the order of the items; one worker needs no thread."""
    if workers == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(function, items))


def one_native_thread() -> AbstractContextManager[Any]:
    """Return a context in which the linear algebra beneath numpy starts no threads.

    Native threads beside ours would compete with them; one each is fastest and always the same.
    """
    return _controller(len(sys.modules)).limit(limits=1)


@lru_cache(maxsize=1)
def _controller(n_modules: int) -> ThreadpoolController:
    """Look for native libraries, which takes milliseconds, only after modules were imported."""
    return ThreadpoolController()


def _start_processes(workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_one_native_thread)


def _one_native_thread() -> None:
    threadpool_limits(1)
