"""The division of work into tasks."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from synth_tasks.release.runner_options import RUNNERS
from synth_tasks.tasks.chunks import MOST_CHUNKS, SECONDS_A_CHUNK, chunk_size

PIECES = st.integers(1, 100_000)
SECONDS = st.floats(0, 1e4)
RUNNER = st.sampled_from(RUNNERS)
WORKERS = st.integers(1, 256)


@pytest.mark.parametrize(
    ("runner", "seconds", "size"),
    [("threads", 0.04, 50), ("processes", 0.1, 100), ("dask", 1e-9, 500), ("ray", 60.0, 6)],
)
def test_chunks_of_a_study_by_two_workers(runner: str, seconds: float, size: int) -> None:
    assert chunk_size(1000, seconds, runner, workers=2) == size


@given(pieces=PIECES, seconds=SECONDS, runner=RUNNER, workers=WORKERS)
def test_no_flow_gets_more_task_runs_than_the_server_bears(
    pieces: int, seconds: float, runner: str, workers: int
) -> None:
    size = chunk_size(pieces, seconds, runner, workers)
    assert 1 <= size <= pieces
    assert -(-pieces // size) <= MOST_CHUNKS < 200


@given(pieces=PIECES, seconds=SECONDS, runner=RUNNER, workers=WORKERS)
def test_a_chunk_lasts_ten_seconds_where_there_is_enough_to_do(
    pieces: int, seconds: float, runner: str, workers: int
) -> None:
    enough = SECONDS_A_CHUNK[runner]
    assume(pieces * seconds >= 1.001 * workers * enough)
    assert chunk_size(pieces, seconds, runner, workers) * seconds >= 0.999 * enough


@given(pieces=PIECES, runner=RUNNER, workers=st.integers(1, MOST_CHUNKS))
def test_short_work_is_shared_by_all_workers(pieces: int, runner: str, workers: int) -> None:
    assert chunk_size(pieces, 1e-9, runner, workers) == -(-pieces // workers)


def test_clusters_and_processes_get_ten_seconds() -> None:
    assert {SECONDS_A_CHUNK[r] for r in RUNNERS if r != "threads"} == {10.0}
