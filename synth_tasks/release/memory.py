"""Refusing a release that this machine has not the memory for, before any work is lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from synth_tasks.data import Schema
from synth_tasks.errors import SpecError
from synth_tasks.release.analysis import analysed_columns
from synth_tasks.release.available_memory import available_gb
from synth_tasks.release.cost import Workload, peak_gb
from synth_tasks.release.parts_cost import PartsWorkload
from synth_tasks.release.parts_memory import largest_step, parts_peak_gb
from synth_tasks.release.sources.extent import find_extent
from synth_tasks.release.spec import ReleaseSpec

WHAT_HELPS = {
    "reading": "divide into fewer strata (synthesis.min_stratum_size)",
    "strata": "divide by more columns (synthesis.strata)",
    "sample": "set partition.sample_rows lower",
    "analysis": "name fewer columns in each analysis (analysis)",
}


def check_memory(
    spec: ReleaseSpec, n_rows: int, n_columns: int, available: float | None = None, size: str = ""
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
    size : str, optional
        How the size is put in the message; the numbers if not given.

    Raises
    ------
    SpecError
        Names the prediction and the setting that helps.
    """
    if spec.run.scheduler is not None:
        return
    available = _available(spec) if available is None else available
    work = _workload(spec, n_rows, n_columns)
    size = size or f"{n_rows} rows and {n_columns} columns"
    _require(size, peak_gb(work), available, lambda: _remedy(work, available))


def check_source_memory(spec: ReleaseSpec, available: float | None = None) -> None:
    """Refuse a release whose source needs more memory than there is, before it is read.

    Parameters
    ----------
    spec : ReleaseSpec
        The release, of a whole table. Sources that do not tell their size beforehand are not judged,
        see `find_extent`.
    available : float, optional
        As `check_memory`.

    Raises
    ------
    SpecError
        Names the prediction and the setting that helps.
    """
    if spec.run.scheduler is not None:
        return
    extent = find_extent(spec)
    if extent is not None:
        check_memory(spec, extent.n_rows, extent.n_columns, available, str(extent))


def check_parts_memory(
    spec: ReleaseSpec, sizes: Sequence[int], schema: Schema, available: float | None = None
) -> None:
    """Refuse a release in parts that needs more memory than there is.

    Parameters
    ----------
    spec : ReleaseSpec
        The release; it has a `partition`. Work on a cluster of others is not judged.
    sizes : sequence of int
        Rows of each stratum.
    schema : Schema
        The variables.
    available : float, optional
        As `check_memory`.

    Raises
    ------
    SpecError
        Names the prediction and the setting that helps.
    """
    if spec.run.scheduler is not None or spec.partition is None:
        return
    available = _available(spec) if available is None else available
    n_rows = sum(sizes)
    whole = _workload(spec, n_rows, len(schema))
    work = PartsWorkload(
        whole,
        tuple(-(-n * whole.n_rows // n_rows) for n in sizes),  # more, where `synthesis.k` is
        spec.partition.sample_rows,
        analysed=tuple(len(analysed_columns(analysis, schema)) for analysis in spec.analysis),
    )
    size = f"{len(sizes)} strata of up to {max(sizes)} rows and {len(schema)} columns"
    _require(size, parts_peak_gb(work), available, lambda: _parts_remedy(work, available))


def _workload(spec: ReleaseSpec, n_rows: int, n_columns: int) -> Workload:
    """Describe what decides the memory that a release needs."""
    return Workload(
        n_rows=max(n_rows, spec.synthesis.k or 0),
        n_columns=n_columns,
        fitted=n_columns,
        predictors=0,
        imputations=spec.imputation.m,
        m=spec.synthesis.m,
        workers=spec.run.workers,
        cores=os.cpu_count() or 1,
        runner=spec.run.runner,
    )


def _available(spec: ReleaseSpec) -> float:
    return spec.run.memory_gb or available_gb()


def _require(size: str, needed: float, available: float, remedy: Callable[[], str]) -> None:
    """Refuse what needs more than there is; the remedy is looked for only then."""
    if needed > available:
        raise SpecError(
            f"{size} need about {needed:.1f} GB of memory, and {available:.1f} GB may be used: "
            f"{remedy()}, or set run.memory_gb if you know better"
        )


def _remedy(work: Workload, available: float) -> str:
    """Name the largest number of workers that fits, or, if none does, what else makes it less."""
    # Threads beyond the cores need no memory; processes do.
    most = work.workers if work.n_processes else min(work.workers, work.cores)
    for workers in range(most - 1, 0, -1):
        if peak_gb(replace(work, workers=workers)) <= available:
            return f"set run.workers to {workers}"
    for m in range(work.m - 1, 1, -1):
        if peak_gb(replace(work, m=m, workers=1)) <= available:
            return f"set synthesis.m to {m} and run.workers to 1"
    return "drop columns (dataset.drop), or release the rows in parts (partition)"


def _parts_remedy(work: PartsWorkload, available: float) -> str:
    """Name the largest number of workers that fits, or, if none does, what else makes it less."""
    for workers in range(work.whole.workers - 1, 0, -1):
        fewer = replace(work, whole=replace(work.whole, workers=workers))
        if parts_peak_gb(fewer) <= available:
            return f"set run.workers to {workers}"
    return f"{WHAT_HELPS[largest_step(work)]}, or drop columns (dataset.drop)"
