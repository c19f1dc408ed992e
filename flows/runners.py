"""What works on the tasks of a flow: threads, processes or Dask."""

from __future__ import annotations

import os
import sys
from typing import Any

import cloudpickle
from prefect.context import FlowRunContext
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from synth_tasks.errors import SpecError
from synth_tasks.release.spec import RunSpec

RUNNERS = ("threads", "processes", "dask")


def task_runner(run: RunSpec) -> TaskRunner[Any]:
    """Return the task runner that a specification asks for.

    Args:
        run: The section `run` of the specification.

    Returns:
        A task runner of `run.workers` workers.
    """
    if run.runner == "processes":
        return ProcessPoolTaskRunner(max_workers=run.workers)
    if run.runner == "dask":
        return _dask_runner(run)
    return ThreadPoolTaskRunner(max_workers=run.workers)


def _dask_runner(run: RunSpec) -> TaskRunner[Any]:
    # Dask reports the life of its cluster in dozens of lines that nobody needs.
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")
    try:
        from prefect_dask import DaskTaskRunner
    except ImportError:
        raise SpecError(
            "run.runner is dask, but prefect-dask is not installed: "
            "python -m pip install 'prefect-synth[dask]', or set run.runner to processes"
        ) from None
    _send_flow_by_value()
    if run.scheduler is not None:
        return DaskTaskRunner(address=run.scheduler)
    own_cluster = {"n_workers": run.workers, "threads_per_worker": 1, "dashboard_address": None}
    return DaskTaskRunner(cluster_kwargs=own_cluster)


def _send_flow_by_value() -> None:
    """Let Dask have the code of the flow: Prefect loads it by path, as a module nobody can import."""
    context = FlowRunContext.get()
    if context is not None and context.flow is not None:
        cloudpickle.register_pickle_by_value(sys.modules[context.flow.fn.__module__])
