"""Time and memory that the engine and whole releases need, beside what `--dry-run` predicts.

``python -m tests.benchmarks.predicted_cost`` measures the engine over a grid of rows, columns, levels
and sets, ``--releases`` whole releases by ``flows.release``, each in processes of its own; from these
the constants were taken. ``--others`` measures releases of sizes that no constant was taken from, and
fails if one is not predicted within a factor of two. Processor time is shown beside elapsed time: on a
busy machine only the former says what the work costs.
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
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import yaml

from synth_tasks import synthesize
from synth_tasks.datasets import load_boys_completed
from synth_tasks.release.cost import Workload, release_cost, synthesis_cost
from synth_tasks.release.parts_cost import PartsWorkload, parts_cost
from synth_tasks.release.parts_memory import parts_peak_gb
from synth_tasks.release.preview import workload_of
from synth_tasks.release.preview_parts import parts_workload
from synth_tasks.release.spec_files import read_spec
from synth_tasks.release.stages import load_source
from synth_tasks.release.survey import survey_source
from tests.benchmarks.census import census
from tests.benchmarks.tables import mixed_table, numeric_table
from tests.release.builders import write_gate

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Case:
    """A table and a number of sets.

    Parameters
    ----------
    kind : {"boys", "numbers", "mixed", "wide", "census"}
        Of the table; a mixed one has twenty columns, three of them of 8, 40 and 200 levels, and of a
        wide one no variable has more than twenty predictors. A census is released in parts, of twenty
        regions, with a cross-fit in each.
    n_rows, n_columns, m, workers : int
        Size of the work.
    """

    kind: str
    n_rows: int
    n_columns: int = 20
    m: int = 1
    workers: int = 1

    def table(self, most_rows: int | None = None) -> pd.DataFrame:
        """Make the table, or its first rows."""
        n_rows = self.n_rows if most_rows is None else min(self.n_rows, most_rows)
        if self.kind == "boys":
            return load_boys_completed()
        if self.kind == "census":
            return census(n_rows)
        return (
            mixed_table(n_rows) if self.kind == "mixed" else numeric_table(n_rows, self.n_columns)
        )

    def workload(self) -> Workload:
        """Describe the synthesis of all columns in their order, each from those before it."""
        some = self.table(most_rows=1000)  # tells the columns and their categories
        n = some.shape[1]
        levels = sum(len(some[c].cat.categories) for c in some.select_dtypes("category"))
        return Workload(
            self.n_rows,
            n,
            fitted=n,
            predictors=n * (n - 1) // 2,
            levels=levels,
            m=self.m,
            workers=self.workers,
        )

    @property
    def label(self) -> str:
        """The case in words."""
        return f"{self.kind}, {self.n_rows:,} × {self.n_columns}, m = {self.m}"


ENGINE = (
    Case("boys", 748, 9, 5),
    Case("numbers", 1000, 10, 1),
    Case("numbers", 1000, 100, 10),
    Case("numbers", 10_000, 30, 1),
    Case("numbers", 10_000, 30, 10),
    Case("numbers", 100_000, 10, 1),
    Case("numbers", 100_000, 100, 1),
    Case("mixed", 10_000, 20, 1),
    Case("mixed", 100_000, 20, 5),
    Case("numbers", 1_000_000, 10, 1),
    Case("numbers", 1_000_000, 20, 1),
)
RELEASES = (
    Case("numbers", 1000, 10, 2, 2),
    Case("numbers", 10_000, 30, 5, 2),
    Case("mixed", 10_000, 20, 10, 2),
    Case("numbers", 10_000, 100, 2, 2),
    Case("mixed", 100_000, 20, 2, 2),
    Case("census", 100_000, 20, 1, 2),
    Case("wide", 50_000, 500, 2, 2),
    Case("numbers", 1_000_000, 10, 2, 2),
)
OTHERS = (
    Case("numbers", 5000, 50, 3, 2),
    Case("mixed", 30_000, 20, 5, 1),
    Case("census", 40_000, 20, 1, 2),
    Case("wide", 20_000, 200, 2, 2),
    Case("mixed", 300_000, 20, 2, 2),
    Case("census", 500_000, 20, 1, 2),
)
FACTOR = 2.0
CAP = {"max_predictors": 20}
IN_PARTS = {
    "pooling": {"rule": "raab2016"},
    "partition": {},
    "disclosure": {"keys": ["age", "sex", "region"], "targets": ["income", "health", "status"]},
    "analysis": [{"model": "ols", "formula": "income ~ age + hours"}],
}


def measure(case: Case) -> dict[str, float]:
    """Synthesise in a process of its own; return elapsed and processor seconds and GB."""
    numbers = [str(n) for n in (case.n_rows, case.n_columns, case.m, case.workers)]
    command = [sys.executable, "-m", "tests.benchmarks.predicted_cost", "--one", case.kind]
    return json.loads(subprocess.run([*command, *numbers], capture_output=True, check=True).stdout)


def synthesise(case: Case) -> dict[str, float]:
    """Synthesise here, after the machine code was loaded."""
    options = {"cart": {"minbucket": 10}}
    frame = case.table()
    synthesize(frame.head(1000), m=1, seed=1, method_options=options)
    begin, used = time.perf_counter(), time.process_time()
    synthesize(frame, m=case.m, seed=1, workers=case.workers, method_options=options)
    return {
        "elapsed": time.perf_counter() - begin,
        "processor": time.process_time() - used,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def measure_release(case: Case, folder: Path) -> tuple[Workload | PartsWorkload, dict[str, float]]:
    """Publish a release; return its size and what it needed, with all its processes."""
    case.table().to_parquet(folder / "table.parquet")
    write_gate(folder)
    content = {
        "dataset": {"name": "table", "source": {"parquet": "table.parquet"}},
        "synthesis": {"m": case.m} | (CAP if case.kind == "wide" else {}),
        "disclosure": {"cross_fit": False},
        "policy": {"suite": "gate.json"},
        "publish": {"to": "out", "approval": "never"},
        "run": {"workers": case.workers},
    }
    if case.kind == "census":
        content |= IN_PARTS
        content["synthesis"] = {"m": case.m, "strata": ["region"]}
    (folder / "spec.yaml").write_text(yaml.safe_dump(content))
    spec = read_spec(folder / "spec.yaml")
    work: Workload | PartsWorkload
    if spec.partition is None:
        work = workload_of(spec, load_source(spec), case.workers)
    else:
        work = parts_workload(spec, survey_source(spec), case.workers)
    places = {"SYNTH_WORKSPACE": folder / "workspace", "PREFECT_HOME": folder / "prefect"}
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | {k: str(v) for k, v in places.items()}
    command = [sys.executable, "-m", "flows.release", "--spec", "spec.yaml"]
    begin = time.perf_counter()
    release = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(release.pid, 0)  # of the run and of all that it has started
    release.returncode = os.waitstatus_to_exitcode(status)
    if release.returncode != 0:
        raise subprocess.CalledProcessError(release.returncode, command)
    return work, {
        "elapsed": time.perf_counter() - begin,
        "processor": used.ru_utime + used.ru_stime,
        "peak_gb": used.ru_maxrss / 1e6,
    }


def predict(work: Workload | PartsWorkload, *, whole_release: bool) -> tuple[float, float]:
    """Return processor seconds and GB: what one worker needs is what all of them use."""
    if isinstance(work, PartsWorkload):
        one = replace(work, whole=replace(work.whole, workers=1))
        return sum(parts_cost(one).values()), parts_peak_gb(work)
    predicted = release_cost if whole_release else synthesis_cost
    return predicted(replace(work, workers=1)).total, predicted(work).peak_gb


def main() -> int:
    """Print a table of predictions and measurements; return 1 if others are not within the factor."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.predicted_cost")
    parser.add_argument("--releases", action="store_true", help="whole releases, for half an hour")
    parser.add_argument("--others", action="store_true", help="releases of other sizes")
    parser.add_argument("--one", nargs=5, metavar="", help="one synthesis, here, as JSON")
    options = parser.parse_args()
    if options.one:
        kind, *numbers = options.one
        print(json.dumps(synthesise(Case(kind, *map(int, numbers)))))
        return 0
    print("| case | predicted s | processor s | elapsed s | predicted GB | peak GB |")
    print("|---|---|---|---|---|---|")
    whole_release, missed = options.releases or options.others, []
    for case in OTHERS if options.others else RELEASES if options.releases else ENGINE:
        work: Workload | PartsWorkload
        if whole_release:
            with tempfile.TemporaryDirectory() as folder:
                work, found = measure_release(case, Path(folder))
        else:
            work, found = case.workload(), measure(case)
        processor, peak = predict(work, whole_release=whole_release)
        print(
            f"| {case.label} | {processor:.3g} | {found['processor']:.3g} "
            f"| {found['elapsed']:.3g} | {peak:.2f} | {found['peak_gb']:.2f} |",
            flush=True,
        )
        ratios = processor / found["processor"], peak / found["peak_gb"]
        if not all(1 / FACTOR <= ratio <= FACTOR for ratio in ratios):
            missed.append(case.label)
    if missed:
        print(f"not within a factor of {FACTOR:g}: {'; '.join(missed)}")
    return int(bool(missed) and options.others)


if __name__ == "__main__":
    sys.exit(main())
