"""The division of a study into chunks."""

import pytest

from synth_tasks.errors import SpecError
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.study import Chunk, results_folder
from tests.release.builders import people_spec


def test_a_chunk_names_its_replicates() -> None:
    assert list(Chunk(4, 6).numbers) == [4, 5, 6]
