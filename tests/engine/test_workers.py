"""Spreading sets over threads or processes."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pandas as pd
import pytest

from synth_tasks.engine import mice
from synth_tasks.engine.workers import check_workers, run_all
from synth_tasks.errors import PlanError


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "2"])
def test_workers_are_counted(workers: object) -> None:
    with pytest.raises(PlanError, match="workers must be a whole number of 1 or more"):
        check_workers(workers, "threads")  # type: ignore[arg-type]


def test_an_executor_is_one_of_two() -> None:
    check_workers(1, "threads")
    check_workers(3, "processes")
    with pytest.raises(PlanError, match="executor must be 'threads' or 'processes'"):
        check_workers(1, "fibres")


def test_results_come_in_the_order_of_the_items() -> None:
    steps: list[int] = []

    def work(item: int, step: object) -> int:
        step()  # type: ignore[operator]
        return item * item

    results = run_all(work, range(7), 3, "threads", lambda: steps.append(1))
    assert results == [0, 1, 4, 9, 16, 25, 36]
    assert len(steps) == 7


def test_an_error_of_one_item_is_raised() -> None:
    def fail(item: int, step: object) -> int:
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        run_all(fail, range(3), 2, "threads", lambda: None)


def test_processes_report_all_steps_of_an_item() -> None:
    steps: list[int] = []
    results = run_all(partial(math.pow, 2), [1, 3], 1, "processes", lambda: steps.append(1), 4)
    assert results == [2, 8]
    assert len(steps) == 8


def test_processes_give_the_bytes_of_threads() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": rng.choice(["u", "v"], 40), "x": rng.standard_normal(40)})
    frame["y"] = frame["x"] ** 2 + rng.standard_normal(40)
    frame.loc[:5, "y"] = np.nan

    def run(executor: str, workers: int) -> list[bytes]:
        result = mice(
            frame,
            m=2,
            maxit=1,
            method={"g": "cart", "x": "cart", "y": "norm"},
            where="all",
            formulas={"y": "x + I(x**2) + g"},
            rules={"y": {"x > 1.5": 0.0}},
            seed=1,
            workers=workers,
            executor=executor,  # type: ignore[arg-type]
        )
        return [one.tobytes() for one in result.sets]

    assert run("processes", 2) == run("threads", 1)
