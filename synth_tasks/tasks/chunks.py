"""How many pieces of work a task gets.

A task run costs 10 ms in a thread and 0.2 s in a process or on a cluster: a chunk is to last so long
that this is little. A flow is to have no more task runs than a Prefect server shows and records well.
Whatever the chunks are, the results are the same: every piece has its own random numbers.
"""

from __future__ import annotations

SECONDS_A_CHUNK = {"threads": 2.0, "processes": 10.0, "dask": 10.0, "ray": 10.0}
MOST_TASK_RUNS = 200
OTHER_TASK_RUNS = 10  # reading, imputing, the pilot, summing up
MOST_CHUNKS = MOST_TASK_RUNS - OTHER_TASK_RUNS


def chunk_size(
    pieces: int, seconds: float, runner: str, workers: int, most: int = MOST_CHUNKS
) -> int:
    """Return how many pieces a task works on.

    Every worker gets as many chunks as any other, of ten seconds or more (two for threads) where there
    is that much to do.

    Parameters
    ----------
    pieces : int
        Of the whole flow, such as replicates of a study.
    seconds : float
        What one takes, from a pilot.
    runner : str
        One of `synth_tasks.release.runner_options.RUNNERS`.
    workers : int
        Number of them.
    most : int, default 190
        Most chunks.

    Returns
    -------
    int
        At least 1.
    """
    long_enough = int(pieces * seconds / SECONDS_A_CHUNK[runner])
    n_chunks = max(_even(long_enough, workers), workers)
    few_enough = _even(most, workers) or most
    return -(-pieces // min(n_chunks, few_enough))


def _even(count: int, workers: int) -> int:
    """Return the largest number of chunks, at most `count`, that workers can share evenly."""
    return count - count % workers
