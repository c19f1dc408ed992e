"""The division of a study into chunks."""

from synth_tasks.tasks.study import Chunk


def test_a_chunk_names_its_replicates() -> None:
    assert list(Chunk(4, 6).numbers) == [4, 5, 6]
