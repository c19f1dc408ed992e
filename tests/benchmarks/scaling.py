"""How the cost grows, and what a second worker is worth: ``python -m tests.benchmarks.scaling``.

Rows from 1000 to 10 million and 10 to 500 columns of numbers, and as many rows of a synthetic census;
beside it, as far as they bear it, the same with scikit-learn's trees and with R's mice and synthpop.
``--quick`` stops at 100,000 rows and 100 columns, for a look. Every figure is taken in a process of its
own.

Writes a plot and a file of all figures, and fails if the cost of rows grows faster than n log n does: a
slope above 1.15 in the log-log fit from 10,000 rows on. ``--workers`` compares one and two workers of
Dask instead, ``--hosts`` those on hosts of their own (network namespaces), and fails if two are less
than 1.7 times as fast: only an idle machine can tell.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from synth_tasks import synthesize
from synth_tasks.data import encode, infer_schema
from synth_tasks.data.correlation import PairSums
from synth_tasks.engine.predictor_choice import association, keep_strongest
from tests.benchmarks.census import census
from tests.benchmarks.hosts import cluster_of_hosts, there_are_hosts
from tests.benchmarks.scaling_plot import LABELS, plot_scaling
from tests.benchmarks.tables import numeric_table
from tests.benchmarks.with_r import run_in_r
from tests.benchmarks.with_sklearn import synthesize_with_sklearn

ROWS = [10**3, 10**4, 10**5, 10**6, 10**7]
COLUMNS = [10, 20, 50, 100, 200, 500]
ROWS_OF_COLUMNS = 10_000
MINBUCKET = 10
CAP = 20
MOST_ROWS = {"ours": 10**7, "census": 10**7, "sklearn": 10**6, "mice": 10**4, "synthpop": 10**4}
MOST_COLUMNS = {"ours": 500, "capped": 500, "sklearn": 100, "mice": 20, "synthpop": 20}
LARGEST_SLOPE, LEAST_GAIN = 1.15, 1.7
SLOPE_FROM = 10_000


def main() -> int:
    """Run what was asked for; return 1 if a bound is not held."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scaling", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to 100,000 rows and 100 columns")
    parser.add_argument("--workers", action="store_true", help="one and two workers of Dask alone")
    parser.add_argument("--hosts", action="store_true", help="the same on hosts of their own")
    parser.add_argument("--plot", type=Path, default=Path("scaling.png"), help="file to write")
    parser.add_argument("--figures", type=Path, default=Path("scaling.csv"), help="file to write")
    parser.add_argument("--one", nargs=3, metavar="", help="one synthesis, here, as JSON")
    options = parser.parse_args()
    if options.one:
        who, n_rows, n_columns = options.one
        print(json.dumps(_synthesise(who, int(n_rows), int(n_columns))))
        return 0
    if options.hosts and not there_are_hosts():
        parser.error("--hosts needs the rights of root and the program ip")
    if options.workers or options.hosts:
        return _compare_workers(20 if options.quick else 75, options.hosts)
    figures = pd.DataFrame(_measure_all(options.quick))
    figures.to_csv(options.figures, index=False)
    plot_scaling(figures, options.plot)
    slope = largest_slope(figures)
    print(f"slope of log time on log rows: {slope:.3f} (at most {LARGEST_SLOPE})")
    print(f"plot: {options.plot}, figures: {options.figures}")
    return int(slope > LARGEST_SLOPE)


def largest_slope(figures: pd.DataFrame) -> float:
    """Return the largest slope of log processor time on log rows, from 10,000 rows on.

    Below that, what a fit costs whatever the rows hides how the cost grows.
    """
    slopes = []
    for who in ("ours", "census"):
        of_rows = (figures["who"] == who) & (figures["what"] == "rows")
        large = figures[of_rows & (figures["n_rows"] >= SLOPE_FROM)]
        if len(large) > 1:
            slope, _ = np.polyfit(np.log(large["n_rows"]), np.log(large["processor"]), 1)
            slopes.append(float(slope))
    return max(slopes)


def _measure_all(quick: bool) -> list[dict[str, object]]:
    """Measure every size for everybody who bears it."""
    most_rows, most_columns = (10**5, 100) if quick else (10**7, 500)
    rows = [
        (who, "rows", n, 20) for n in ROWS for who, most in MOST_ROWS.items()
        if n <= min(most, most_rows)
    ]  # fmt: skip
    columns = [
        (who, "columns", ROWS_OF_COLUMNS, p) for p in COLUMNS for who, most in MOST_COLUMNS.items()
        if p <= min(most, most_columns)
    ]  # fmt: skip
    figures = []
    for who, what, n_rows, n_columns in rows + columns:
        found = _in_own_process(who, n_rows, n_columns)
        if found is None:
            print(f"{LABELS[who]}: not installed")
            continue
        figures.append({"who": who, "what": what, "n_rows": n_rows, "n_columns": n_columns} | found)
        print(
            f"{LABELS[who]}, {n_rows:,} × {n_columns}: {found['processor']:.3g} s of processor "
            f"time, {found['elapsed']:.3g} s, {found['peak_gb']:.2f} GB",
            flush=True,
        )
    return figures


def _in_own_process(who: str, n_rows: int, n_columns: int) -> dict[str, float] | None:
    one = [who, str(n_rows), str(n_columns)]
    command = [sys.executable, "-m", "tests.benchmarks.scaling", "--one", *one]
    found = subprocess.run(command, capture_output=True, check=True).stdout
    return json.loads(found.splitlines()[-1])


def _synthesise(who: str, n_rows: int, n_columns: int) -> dict[str, float] | None:
    """Synthesise once by one worker; return elapsed and processor seconds and GB, if it can be."""

    def table(n: int) -> pd.DataFrame:
        return _completed_census(n) if who == "census" else numeric_table(n, n_columns)

    if who in ("mice", "synthpop"):
        with tempfile.TemporaryDirectory() as folder:
            return run_in_r(who, table(n_rows), 1, MINBUCKET, Path(folder))
    work = _with_sklearn if who == "sklearn" else _ours(capped=who == "capped")
    work(table(1000))  # loads the machine code
    frame = table(n_rows)
    begin, used = time.perf_counter(), time.process_time()
    work(frame)
    return {
        "elapsed": time.perf_counter() - begin,
        "processor": time.process_time() - used,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def _completed_census(n_rows: int) -> pd.DataFrame:
    frame = census(n_rows)
    return frame.assign(income=frame["income"].fillna(frame["income"].median()))


def _ours(capped: bool) -> Callable[[pd.DataFrame], object]:
    """Return our synthesis, by all columns before one or by the twenty strongest of them."""

    def work(frame: pd.DataFrame) -> object:
        return synthesize(
            frame,
            m=1,
            seed=1,
            predictor_matrix=_strongest(frame) if capped else None,
            method_options={"cart": {"minbucket": MINBUCKET}},
        )

    return work


def _strongest(frame: pd.DataFrame) -> pd.DataFrame:
    before = np.tri(frame.shape[1], k=-1, dtype=bool)
    sums = PairSums.of(encode(frame, infer_schema(frame)))
    chosen = keep_strongest(before, association(sums), CAP)
    return pd.DataFrame(chosen.astype(int), index=frame.columns, columns=frame.columns)


def _with_sklearn(frame: pd.DataFrame) -> object:
    schema = infer_schema(frame)
    categorical = [v.is_categorical for v in schema]
    return synthesize_with_sklearn(encode(frame, schema), categorical, 1, MINBUCKET)


def _compare_workers(seconds: int, on_hosts: bool) -> int:
    """Let one and then two workers of Dask do the same work, of so many seconds for one."""
    found = {workers: _study_by(workers, seconds, on_hosts) for workers in (1, 2)}
    for workers, figures in found.items():
        print(
            f"{workers} worker(s) of Dask: {figures['elapsed']:.1f} s for "
            f"{figures['replicates']} replicates in {figures['chunks']} chunks"
        )
    rates = [found[w]["replicates"] / found[w]["elapsed"] for w in (1, 2)]
    gain = rates[1] / rates[0]
    print(f"two workers are {gain:.2f} times as fast as one (at least {LEAST_GAIN})")
    return int(gain < LEAST_GAIN)


def _study_by(workers: int, seconds: int, on_hosts: bool) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.dask_workers", str(workers), str(seconds)]
    with ExitStack() as stack:
        environment = {**os.environ}
        if on_hosts:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            places = stack.enter_context(cluster_of_hosts(workers, folder))
            command.append(places.pop("scheduler"))
            environment |= places
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
