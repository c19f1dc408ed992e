"""The division of a study into chunks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.tasks.study import CHUNKS_A_WORKER, MOST_CHUNKS, Chunk, chunk_size


@pytest.mark.parametrize(
    ("runner", "seconds", "size"),
    [("threads", 0.04, 50), ("threads", 10.0, 5), ("processes", 0.08, 100), ("dask", 1e-9, 125)],
)
def test_a_chunk_lasts_long_enough_for_its_runner(runner: str, seconds: float, size: int) -> None:
    assert chunk_size(1000, seconds, runner, workers=2) == size


@given(
    replicates=st.integers(1, 100_000),
    seconds=st.floats(0, 1e4),
    runner=st.sampled_from(["threads", "processes", "dask"]),
    workers=st.integers(1, 64),
)
def test_no_flow_gets_more_task_runs_than_the_server_bears(
    replicates: int, seconds: float, runner: str, workers: int
) -> None:
    size = chunk_size(replicates, seconds, runner, workers)
    n_chunks = -(-replicates // size)
    assert 1 <= size <= replicates
    assert n_chunks <= MOST_CHUNKS
    if replicates >= MOST_CHUNKS * CHUNKS_A_WORKER * workers:
        assert n_chunks >= workers


def test_a_chunk_names_its_replicates() -> None:
    assert list(Chunk(4, 6).numbers) == [4, 5, 6]
