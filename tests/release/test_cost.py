"""What is predicted agrees with what was measured, and grows with the work."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.release.cost import Workload, release_cost, synthesis_cost
from tests.benchmarks.predicted_cost import measure, table, workload

# Processor seconds and gigabytes of the engine on an Intel Xeon, by tests.benchmarks.predicted_cost:
# rows (0: boys), sets, seconds, peak.
MEASURED = [
    (0, 5, 0.017, 0.32),
    (50_000, 1, 0.597, 0.37),
    (50_000, 5, 1.012, 0.40),
    (200_000, 1, 2.160, 0.52),
    (200_000, 5, 3.838, 0.65),
]


def numbers(n_rows: int, n_columns: int, **settings: int) -> Workload:
    pairs = n_columns * (n_columns - 1) // 2
    return Workload(n_rows, n_columns, fitted=n_columns, predictors=pairs, **settings)


@pytest.mark.parametrize(("n_rows", "m", "seconds", "peak_gb"), MEASURED)
def test_the_engine_is_predicted_within_a_factor_of_two(n_rows, m, seconds, peak_gb):
    work = (
        numbers(748, 9, levels=16, m=m, workers=1)
        if n_rows == 0
        else numbers(n_rows, 20, m=m, workers=1)
    )
    cost = synthesis_cost(work)
    assert 0.5 < cost.total / seconds < 2
    assert 0.5 < cost.peak_gb / peak_gb < 2


BOYS = numbers(748, 9, levels=16, imputed=7, imputed_predictors=56, maxit=10, analyses=2, workers=2)
# Whole releases of drafted specifications by two workers: processor time of all threads and processes,
# and the peak memory. The gate refused the last one, so that nothing of it was published.
RELEASES = [
    (BOYS, 20.7, 0.64),
    (numbers(50_000, 20, analyses=2), 44.7, 0.88),
    (numbers(200_000, 20), 161.2, 1.63),
]


@pytest.mark.parametrize(("work", "seconds", "peak_gb"), RELEASES)
def test_a_release_is_predicted_within_a_factor_of_two(work, seconds, peak_gb):
    """One worker needs as much time as all threads together have used."""
    one = release_cost(replace(work, workers=1)).seconds
    predicted = sum(time for stage, time in one.items() if work.analyses or stage != "publish")
    assert 0.5 < predicted / seconds < 2
    assert 0.5 < release_cost(work).peak_gb / peak_gb < 2


@pytest.mark.slow
@pytest.mark.parametrize(("n_rows", "m"), [(50_000, 5), (200_000, 1)])
def test_this_machine_agrees(n_rows, m):
    """Processor time, since other work on the machine does not change that much."""
    found, cost = measure(n_rows, m, 1), synthesis_cost(workload(table(n_rows), m, 1))
    assert 0.5 < cost.total / found["processor"] < 2
    assert 0.5 < cost.peak_gb / found["peak_gb"] < 2


@given(
    st.integers(10, 10**6),
    st.integers(2, 60),
    st.integers(2, 20),
    st.sampled_from(["n_rows", "n_columns", "levels", "m", "imputations", "analyses", "imputed"]),
)
def test_more_work_is_never_cheaper(n_rows, n_columns, m, what):
    less = numbers(n_rows, n_columns, m=m, imputed=2, imputed_predictors=2 * n_columns, maxit=5)
    more = replace(less, **{what: 2 * getattr(less, what) + 1})
    assert release_cost(more).total >= release_cost(less).total
    assert release_cost(more).peak_gb >= release_cost(less).peak_gb


@given(st.integers(10, 10**6), st.integers(1, 8), st.integers(1, 8))
def test_workers_save_time_and_cost_memory_as_far_as_there_are_cores(n_rows, workers, cores):
    one = numbers(n_rows, 10, workers=1, cores=cores)
    many = replace(one, workers=workers)
    assert release_cost(many).total <= release_cost(one).total
    assert release_cost(many).peak_gb >= release_cost(one).peak_gb
    enough = replace(one, workers=cores)
    assert release_cost(replace(one, workers=cores + 5)).total == release_cost(enough).total


def test_the_time_of_stages_adds_up():
    cost = release_cost(numbers(1000, 5))
    assert cost.total == pytest.approx(sum(cost.seconds.values()))
    assert set(cost.seconds) >= {"read and check", "impute", "fit", "draw", "measure", "publish"}
