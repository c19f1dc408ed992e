"""A flow without a Prefect server, so that it starts one of its own; run as a process of its own.

Argument: the runner. Prints, as JSON, what each worker says of itself.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import psutil
from prefect import flow, task
from prefect.settings import PREFECT_API_URL

from flows.runners import do_by
from synth_tasks.release.sections import RunSpec

WORKERS = 2


@task
def describe(number: int) -> dict[str, Any]:
    """Tell who works, with which server, and what else it has started."""
    programs = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]
    servers = [line for line in programs if "prefect.server" in line]
    return {"pid": os.getpid(), "server": PREFECT_API_URL.value(), "started": len(servers)}


@flow
def alone(runner: str) -> list[dict[str, Any]]:
    """Ask the workers of a runner."""
    run = RunSpec(runner=runner, workers=WORKERS)
    return do_by(run, lambda: describe.map(range(2 * WORKERS)).result())


if __name__ == "__main__":
    found = alone(sys.argv[1])
    sys.stdout.write(f"\n{json.dumps({'me': os.getpid(), 'workers': found})}\n")
