"""A study by workers of Dask, timed; run as a process of its own.

Arguments: number of workers, about how many seconds one worker is to need, and the address of a
scheduler if there is one. Prints, as JSON, what the chunks took from the first to the last, without
starting Prefect and the cluster.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from prefect import flow, unmapped

from flows.runners import do_by
from synth_tasks.release.spec import ReleaseSpec, change_spec
from synth_tasks.release.spec_files import read_spec
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.study import make_population, run_replicates
from synth_tasks.tasks.context import RunContext, prepare
from synth_tasks.tasks.impute import impute
from synth_tasks.tasks.ingest import ingest
from synth_tasks.tasks.study import Chunk, run_chunk

ROOT = Path(__file__).parents[2]
MOST_WORKERS = 2
CHUNK_SECONDS = 10
PILOT = range(1, 31)


@flow
def timed(spec: ReleaseSpec, seconds: int) -> dict[str, Any]:
    """Time the chunks of a study of so many seconds."""
    context = prepare(spec)
    population = impute(context, ingest(context).ref).refs[0]
    chunks = _chunks(context, population, seconds)

    def work() -> dict[str, Any]:
        # Replicates of their own, so that every worker has loaded all code.
        first = chunks[-1].last + 1
        warm = [Chunk(first + i, first + i) for i in range(spec.run.workers)]
        run_chunk.map(unmapped(context), unmapped(population), warm).result()
        begin = time.perf_counter()
        run_chunk.map(unmapped(context), unmapped(population), chunks).result()
        elapsed = time.perf_counter() - begin
        return {"elapsed": elapsed, "replicates": chunks[-1].last, "chunks": len(chunks)}

    return do_by(spec.run, work)


def _chunks(context: RunContext, population: DatasetRef, seconds: int) -> list[Chunk]:
    """Make chunks of ten seconds that two workers can share evenly."""
    matrix, schema = context.workspace().read_table(population)
    made = make_population(context.spec, schema, matrix)
    run_replicates(made, 1, [1])
    begin = time.process_time()
    run_replicates(made, 1, PILOT)
    one = (time.process_time() - begin) / len(PILOT)
    size = math.ceil(min(CHUNK_SECONDS, seconds / MOST_WORKERS) / one)
    n_chunks = MOST_WORKERS * math.ceil(seconds / one / size / MOST_WORKERS)
    return [Chunk(1 + i * size, (i + 1) * size) for i in range(n_chunks)]


def main() -> None:
    """Print the figures."""
    workers, seconds = map(int, sys.argv[1:3])
    scheduler = sys.argv[3] if len(sys.argv) > 3 else None
    spec = read_spec(ROOT / "deployments" / "study.yaml")
    spec = change_spec(spec, {"run": {"runner": "dask", "workers": workers,
                                      "scheduler": scheduler}})  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SYNTH_WORKSPACE"] = folder
        print(f"\n{json.dumps(timed(spec, seconds))}")


if __name__ == "__main__":
    main()
