"""Who works on the tasks of a flow: threads, processes, Dask or Ray.

A flow does its work through `do_by`, on the command line and in a deployment alike. Its workers get the
address of the Prefect server that the run itself uses, also of a temporary one: each would start a
server of its own otherwise.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import cloudpickle
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from flows.dask_runner import connected, losses, make_dask_runner
from synth_tasks.errors import SpecError, SynthError
from synth_tasks.release.sections import RunSpec

Result = TypeVar("Result")

# A scheduler that is lost may come back so many times, each within so many seconds.
RETURNS = 3
SECONDS_TO_RETURN = 300
SECONDS_TO_CONNECT = 30


def task_runner(run: RunSpec, seconds: int = SECONDS_TO_CONNECT) -> TaskRunner[Any]:
    """Return the task runner that a specification asks for.

    Args:
        run: The section `run` of the specification.
        seconds: How long a scheduler is waited for.

    Returns:
        A task runner of `run.workers` workers, or of those that the scheduler has.

    Raises:
        SpecError: If what it needs is not installed.
    """
    if run.runner == "processes":
        return ProcessPoolTaskRunner(max_workers=run.workers)
    if run.runner == "dask":
        _send_flow_by_value(cloudpickle)
        return make_dask_runner(run, seconds)
    if run.runner == "ray":
        return _ray_runner(run)
    return ThreadPoolTaskRunner(max_workers=run.workers)


def do_by(run: RunSpec, work: Callable[[], Result]) -> Result:
    """Let the runner of a specification do what a flow submits in the meantime.

    If the scheduler of Dask is lost in mid-run, the work begins anew as soon as it is back; what was
    finished is in the workspace and is not done again.

    Args:
        run: The section `run` of the specification.
        work: Submits tasks, and takes up what is finished.

    Returns:
        What `work` returns.

    Raises:
        SynthError: If the scheduler cannot be reached, or is lost for good.
    """
    for n_lost in range(RETURNS + 1):
        try:
            with _working(run, SECONDS_TO_RETURN if n_lost else SECONDS_TO_CONNECT):
                return work()
        except _losses(run) as error:
            get_run_logger().warning(
                "lost the scheduler of Dask (%s): waiting for it to come back", type(error).__name__
            )
    raise SynthError(
        f"the scheduler of Dask was lost {RETURNS + 1} times: see why it stops, then run again; "
        "what was finished is kept"
    )


@contextmanager
def _working(run: RunSpec, seconds: int) -> Iterator[None]:
    """Put the runner in the place of that of the flow, which cannot know the specification."""
    context = FlowRunContext.get()
    if context is None:
        raise RuntimeError("only a flow has tasks to be worked on")
    address = str(context.client.api_url).rstrip("/")
    with ExitStack() as stack:
        stack.enter_context(temporary_settings({PREFECT_API_URL: address}))
        runner = stack.enter_context(task_runner(run, seconds))
        if run.runner == "dask":
            stack.enter_context(connected(run, runner))
        stack.enter_context(context.model_copy(update={"task_runner": runner}))
        yield


def _losses(run: RunSpec) -> tuple[type[BaseException], ...]:
    return losses() if run.runner == "dask" else ()


def _ray_runner(run: RunSpec) -> TaskRunner[Any]:
    # Ray sends statistics of use to its makers unless it is told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        from prefect_ray import RayTaskRunner
        from ray import cloudpickle as ray_pickle
    except ImportError:
        raise SpecError(
            "run.runner is ray, but prefect-ray is not installed: "
            "python -m pip install 'prefect-synth[ray]', or set run.runner to processes"
        ) from None
    _send_flow_by_value(ray_pickle)
    if run.scheduler is not None:
        return RayTaskRunner(address=run.scheduler)
    own_cluster = {
        "num_cpus": run.workers,
        "include_dashboard": False,
        "log_to_driver": False,
        "configure_logging": False,
    }
    return RayTaskRunner(init_kwargs=own_cluster | run.options)


def _send_flow_by_value(pickler: Any) -> None:
    """Let workers have the code of the flow, which Prefect loads by path: nobody can import it."""
    context = FlowRunContext.get()
    if context is not None and context.flow is not None:
        pickler.register_pickle_by_value(sys.modules[context.flow.fn.__module__])
