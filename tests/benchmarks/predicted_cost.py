"""Time and memory that the engine needs, beside what `synth_tasks.release.cost` predicts.

``python -m tests.benchmarks.predicted_cost`` measures boys, 50,000 x 20 and 200,000 x 20 numbers, each
in a process of its own. Processor time is shown beside elapsed time: on a busy machine only the
former says what the work costs.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import pandas as pd

from synth_tasks import synthesize
from synth_tasks.datasets import load_boys_completed
from synth_tasks.release.cost import Workload, synthesis_cost
from tests.benchmarks.tables import numeric_table

CASES = [(0, 5, 1), (50_000, 1, 1), (50_000, 5, 1), (200_000, 1, 1), (200_000, 5, 1)]


def table(n_rows: int) -> pd.DataFrame:
    """Return numbers of so many rows, or for 0 the boys."""
    return numeric_table(n_rows) if n_rows else load_boys_completed()


def workload(frame: pd.DataFrame, m: int, workers: int) -> Workload:
    """Describe the synthesis of all columns in their order, each from those before it."""
    n = frame.shape[1]
    levels = sum(len(frame[c].cat.categories) for c in frame.select_dtypes("category"))
    return Workload(
        len(frame), n, fitted=n, predictors=n * (n - 1) // 2, levels=levels, m=m, workers=workers
    )


def measure(n_rows: int, m: int, workers: int) -> dict[str, float]:
    """Synthesise in a process of its own; return seconds, processor seconds and GB."""
    numbers = [str(n) for n in (n_rows, m, workers)]
    command = [sys.executable, "-m", "tests.benchmarks.predicted_cost", *numbers]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def work(n_rows: int, m: int, workers: int) -> None:
    """Print the figures as JSON."""
    options = {"cart": {"minbucket": 10}}
    synthesize(table(n_rows).head(1000), m=1, seed=1, method_options=options)  # the machine code
    frame = table(n_rows)
    begin, used = time.perf_counter(), time.process_time()
    synthesize(frame, m=m, seed=1, workers=workers, method_options=options)
    figures = {
        "elapsed": time.perf_counter() - begin,
        "processor": time.process_time() - used,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    print(json.dumps(figures))


def main() -> None:
    """Print a table of predictions and measurements."""
    print("| rows × columns, m | predicted s | processor s | elapsed s | predicted GB | peak GB |")
    print("|---|---|---|---|---|---|")
    for n_rows, m, workers in CASES:
        frame = table(n_rows)
        cost, found = synthesis_cost(workload(frame, m, workers)), measure(n_rows, m, workers)
        print(
            f"| {len(frame):,} × {frame.shape[1]}, m = {m} | {cost.total:.3f} "
            f"| {found['processor']:.3f} | {found['elapsed']:.3f} "
            f"| {cost.peak_gb:.2f} | {found['peak_gb']:.2f} |"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        work(*(int(number) for number in sys.argv[1:]))
    else:
        main()
