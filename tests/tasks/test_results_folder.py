"""Where the results of a study may go: they tell of the real data."""

from pathlib import Path

import pytest

from synth_tasks.errors import SpecError
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.study import results_folder
from tests.release.builders import people_spec


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("s3://bucket/study", "is not on this machine"),
        ("block:open-data", "to: a study goes to a folder, not into a block"),
    ],
)
def test_results_go_to_a_folder_of_this_machine(tmp_path: Path, to: str, reason: str) -> None:
    context = RunContext(people_spec(tmp_path), str(tmp_path), to, "secrets.json")
    with pytest.raises(SpecError, match=reason):
        results_folder(context, to)
