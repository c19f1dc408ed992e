"""Synthesis by cart, and the same elsewhere.

A benchmark says in its group what is measured and in its ``extra_info`` who is: ``who`` and, where a
figure comes from another process, ``seconds`` and ``peak_gb``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks import synthesize
from synth_tasks.data import encode, infer_schema
from synth_tasks.datasets import load_boys_completed
from synth_tasks.engine import fit_synthesizer
from synth_tasks.engine.plan import ImputationPlan
from synth_tasks.engine.planning import plan_and_fill
from synth_tasks.engine.workers import one_native_thread
from synth_tasks.seeding import generator
from tests.benchmarks.in_own_process import measure
from tests.benchmarks.tables import numeric_table
from tests.benchmarks.with_r import seconds_in_r
from tests.benchmarks.with_sklearn import synthesize_with_sklearn

Benchmark = Any
CORES = min(2, os.cpu_count() or 1)
QUICK = bool(os.environ.get("BENCHMARK_QUICK"))
REPLICATES = 100 if QUICK else 1000
SIZES = [1000, 10_000, 50_000] if QUICK else [1000, 10_000, 100_000, 1_000_000]
WIDTHS = [5, 10, 20, 40] if QUICK else [5, 10, 20, 40, 80]
ROWS_OF_WIDTHS = 10_000
INSIDE = "prefect-synth, without reading and writing tables"


def boys_settings(minbucket: int = 3) -> dict[str, Any]:
    return {"method_options": {"cart": {"minbucket": minbucket, "cp": 1e-8}}}


@cache
def numbers(n_rows: int, n_columns: int = 20) -> pd.DataFrame:
    return numeric_table(n_rows, n_columns)


def encoded(frame: pd.DataFrame) -> tuple[np.ndarray, list[bool]]:
    schema = infer_schema(frame)
    return encode(frame, schema), [v.is_categorical for v in schema]


def planned(frame: pd.DataFrame, m: int, minbucket: int) -> tuple[ImputationPlan, np.ndarray]:
    schema = infer_schema(frame)
    settings = {"m": m, "where": "all", "method": "cart"} | boys_settings(minbucket)
    return plan_and_fill(encode(frame, schema), schema, **settings)


def fit_and_draw(
    frame: pd.DataFrame, m: int, minbucket: int, workers: int = 1
) -> Callable[[], None]:
    """Return the work without what surrounds it: reading the table, planning, writing tables."""
    plan, matrix = planned(frame, m, minbucket)

    def work() -> None:
        with one_native_thread():
            fit_synthesizer(plan, matrix, workers).draw_sets(1, range(1, m + 1))

    return work


def run(benchmark: Benchmark, who: str, work: Callable[[], object], rounds: int = 1) -> None:
    benchmark.extra_info["who"] = who
    benchmark.pedantic(work, rounds=rounds, warmup_rounds=1 if rounds > 1 else 0)


# --- boys ------------------------------------------------------------------------------------------

BOYS = pytest.mark.benchmark(group="boys (748 × 9), m = 5, one core")


@BOYS
def test_boys(benchmark: Benchmark) -> None:
    boys = load_boys_completed()
    run(benchmark, "prefect-synth", lambda: synthesize(boys, seed=1, **boys_settings()), 20)


@BOYS
def test_boys_fit_and_draws_alone(benchmark: Benchmark) -> None:
    run(benchmark, INSIDE, fit_and_draw(load_boys_completed(), m=5, minbucket=3), 20)


@BOYS
def test_boys_with_sklearn(benchmark: Benchmark) -> None:
    matrix, categorical = encoded(load_boys_completed())
    run(benchmark, "scikit-learn", lambda: synthesize_with_sklearn(matrix, categorical, 5, 3), 20)


@BOYS
@pytest.mark.parametrize("package", ["mice", "synthpop", "rpart"])
def test_boys_in_r(benchmark: Benchmark, package: str, tmp_path: Path) -> None:
    seconds = seconds_in_r(package, load_boys_completed(), 5, 3, tmp_path)
    benchmark.extra_info["seconds"] = seconds
    run(benchmark, f"R, {package}" + (" (fits alone)" if package == "rpart" else ""), lambda: None)


# --- the study -------------------------------------------------------------------------------------


def replicate(numbers_of_replicates: range) -> None:
    plan, matrix = planned(load_boys_completed(), m=5, minbucket=3)
    for number in numbers_of_replicates:
        rows = generator(1, "bootstrap", number).integers(len(matrix), size=len(matrix))
        fit_synthesizer(plan, np.asfortranarray(matrix[rows])).draw_sets(1, range(1, 6))


BOOTSTRAPS = pytest.mark.benchmark(
    group=f"{REPLICATES} bootstrap samples of boys, m = 5, {CORES} cores"
)


@BOOTSTRAPS
def test_bootstraps(benchmark: Benchmark) -> None:
    def work() -> None:
        chunks = [range(i, REPLICATES, CORES) for i in range(CORES)]
        with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as pool:
            list(pool.map(replicate, chunks))

    run(benchmark, "prefect-synth", work)


@BOOTSTRAPS
def test_bootstraps_in_r(benchmark: Benchmark, tmp_path: Path) -> None:
    boys = load_boys_completed()
    sample = boys.sample(len(boys), replace=True, random_state=1)
    seconds = seconds_in_r("mice", sample, 5, 3, tmp_path)
    benchmark.extra_info["seconds"] = REPLICATES * seconds
    run(benchmark, "R, mice (one sample, timed on one core)", lambda: None)


# --- larger tables ---------------------------------------------------------------------------------


def group_of(n_rows: int) -> str:
    return f"{n_rows:,} × 20 numbers, m = 1, {CORES} cores"


@pytest.mark.parametrize(
    "n_rows",
    [pytest.param(n, marks=pytest.mark.benchmark(group=group_of(n))) for n in (50_000, 200_000)],
)
@pytest.mark.parametrize("who", ["prefect-synth", INSIDE, "scikit-learn"])
def test_many_rows(benchmark: Benchmark, who: str, n_rows: int) -> None:
    if QUICK and n_rows > 50_000:
        pytest.skip("quick run")
    frame, settings = numbers(n_rows), boys_settings(5)
    if who == "prefect-synth":
        run(benchmark, who, lambda: synthesize(frame, m=1, seed=1, workers=CORES, **settings), 3)
    elif who == INSIDE:
        run(benchmark, who, fit_and_draw(frame, m=1, minbucket=5, workers=CORES), 3)
    else:
        matrix, categorical = encoded(frame)
        run(benchmark, who, lambda: synthesize_with_sklearn(matrix, categorical, 1, 5, CORES))


@pytest.mark.parametrize(
    "n_rows",
    [
        pytest.param(
            n, marks=pytest.mark.benchmark(group=f"{n:,} × 20 mixed, m = 5, {CORES} cores")
        )
        for n in (100_000, 1_000_000)
    ],
)
def test_mixed_table(benchmark: Benchmark, n_rows: int) -> None:
    if QUICK and n_rows > 100_000:
        pytest.skip("quick run")
    benchmark.extra_info |= measure(n_rows, 5, CORES)
    run(benchmark, "prefect-synth", lambda: None)


@pytest.mark.benchmark(group="30 levels from 200 levels and a number, 50,000 rows, m = 1, one core")
def test_many_levels(benchmark: Benchmark) -> None:
    rng = np.random.default_rng(1)
    place = rng.integers(0, 200, 50_000)
    work = (place // 7 + rng.poisson(2, 50_000)) % 30
    frame = pd.DataFrame(
        {
            "place": pd.Categorical([f"place {i}" for i in place]),
            "age": rng.normal(40, 12, 50_000),
            "work": pd.Categorical([f"work {i}" for i in work]),
        }
    )
    run(benchmark, "prefect-synth", lambda: synthesize(frame, m=1, seed=1), 3)


# --- growth of the cost ----------------------------------------------------------------------------


@pytest.mark.benchmark(group="rows")
@pytest.mark.parametrize("n_rows", SIZES)
@pytest.mark.parametrize("who", ["prefect-synth", "scikit-learn"])
def test_cost_of_rows(benchmark: Benchmark, who: str, n_rows: int) -> None:
    benchmark.extra_info |= {"n_rows": n_rows, "n_columns": 20}
    cost(benchmark, who, numbers(n_rows))


@pytest.mark.benchmark(group="columns")
@pytest.mark.parametrize("n_columns", WIDTHS)
@pytest.mark.parametrize("who", ["prefect-synth", "scikit-learn"])
def test_cost_of_columns(benchmark: Benchmark, who: str, n_columns: int) -> None:
    benchmark.extra_info |= {"n_rows": ROWS_OF_WIDTHS, "n_columns": n_columns}
    cost(benchmark, who, numbers(ROWS_OF_WIDTHS, n_columns))


def cost(benchmark: Benchmark, who: str, frame: pd.DataFrame) -> None:
    rounds = 3 if len(frame) <= 10_000 else 1
    if who == "prefect-synth":
        settings = boys_settings(5)
        run(benchmark, who, lambda: synthesize(frame, m=1, seed=1, **settings), rounds)
    elif len(frame) > 100_000:
        pytest.skip("takes minutes")
    else:
        matrix, categorical = encoded(frame)
        run(benchmark, who, lambda: synthesize_with_sklearn(matrix, categorical, 1, 5), rounds)
