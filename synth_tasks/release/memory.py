"""Refusing a release that this machine has not the memory for, before any work is lost."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import psutil

from synth_tasks.errors import SpecError
from synth_tasks.release.cost import Workload, peak_gb
from synth_tasks.release.spec import ReleaseSpec

GIGABYTE = 1e9
CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def check_memory(
    spec: ReleaseSpec, n_rows: int, n_columns: int, available: float | None = None
) -> None:
    """Refuse a release that needs more memory than there is.

    Parameters
    ----------
    spec : ReleaseSpec
        The release. Work on a Dask cluster of others is not judged.
    n_rows, n_columns : int
        Size of the table.
    available : float, optional
        Gigabytes that may be used; `run.memory_gb` or, without it, `available_gb` if not given.

    Raises
    ------
    SpecError
        Names the prediction and the setting that helps.
    """
    if spec.run.scheduler is not None:
        return
    if available is None:
        available = spec.run.memory_gb or available_gb()
    work = Workload(
        n_rows=max(n_rows, spec.synthesis.k or 0),
        n_columns=n_columns,
        fitted=n_columns,
        predictors=0,
        imputations=spec.imputation.m,
        m=spec.synthesis.m,
        workers=spec.run.workers,
        cores=os.cpu_count() or 1,
    )
    needed = peak_gb(work)
    if needed > available:
        raise SpecError(
            f"{n_rows} rows and {n_columns} columns need about {needed:.1f} GB of memory, and "
            f"{available:.1f} GB may be used: {_remedy(work, available)}, or set run.memory_gb if "
            "you know better"
        )


def _remedy(work: Workload, available: float) -> str:
    """Name the largest number of workers that fits, or, if none does, what else makes it less."""
    for workers in range(min(work.workers, work.cores) - 1, 0, -1):
        if peak_gb(replace(work, workers=workers)) <= available:
            return f"set run.workers to {workers}"
    for m in range(work.m - 1, 1, -1):
        if peak_gb(replace(work, m=m, workers=1)) <= available:
            return f"set synthesis.m to {m} and run.workers to 1"
    return "drop columns (dataset.drop), or release the rows in several data sets"


def available_gb() -> float:
    """Return the memory that this process may come to use, with what it uses already.

    Returns
    -------
    float
        Gigabytes: what the machine has free, or what is left of the smallest limit of a control group
        (of a container, a service or a batch job) if that is less.
    """
    used = psutil.Process().memory_info().rss
    free = [psutil.virtual_memory().available, *_left_in_groups(CGROUPS, MEMBERSHIP)]
    return (min(free) + used) / GIGABYTE


def _left_in_groups(root: Path, membership: Path) -> list[int]:
    """Return what is left of each limit that holds for this process, in bytes.

    References
    ----------
    Control Group v2, documentation of the Linux kernel: memory.max, memory.current, memory.stat.
    """
    if not membership.is_file():
        return []
    unified = [line[3:] for line in membership.read_text().splitlines() if line.startswith("0::")]
    left = []
    for path in unified:
        group = root / path.strip("/")
        for folder in (group, *group.parents):
            limit = folder / "memory.max"
            if limit.is_file() and (text := limit.read_text().strip()) != "max":
                left.append(int(text) - _in_use(folder))
            if folder == root:
                break
    return left


def _in_use(group: Path) -> int:
    """Return the memory of a control group that the kernel cannot take back for the asking."""
    lines = (line.split() for line in (group / "memory.stat").read_text().splitlines())
    files = next((int(count) for name, count in lines if name == "inactive_file"), 0)
    return int((group / "memory.current").read_text()) - files
