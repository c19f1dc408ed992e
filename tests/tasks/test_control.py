"""Sets of which rows were left out: their rows are still compared with their own sources."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_tasks.release.workspace import DatasetRef, Workspace
from synth_tasks.tasks.control import ControlledSet, align, digests
from tests.release.builders import gate_item, make_site, people_spec, write_gate
from tests.tasks.releasing import make_release


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w", "people", b"5" * 32)


def controlled(workspace: Workspace, kept: list[int] | None) -> ControlledSet:
    table = DatasetRef("set", "s", 0, 0)
    if kept is None:
        return ControlledSet(table, table, None, [])
    path = workspace.private("kept") / f"{len(kept)}.pickle"
    return ControlledSet(table, table, workspace.write_object(path, np.array(kept)), [])


def rows(numbers: list[int]) -> np.ndarray:
    return np.array(numbers, dtype=float)[:, None]


def test_rows_of_all_sets_stand_where_their_sources_do(workspace: Workspace) -> None:
    sets = [
        controlled(workspace, None),
        controlled(workspace, [0, 2, 3, 4]),
        controlled(workspace, [1, 2, 4]),
    ]
    tables = [rows([0, 10, 20, 30, 40]), rows([0, 20, 30, 40]), rows([10, 20, 40])]
    real, own = align(workspace, sets, rows([0, 1, 2, 3, 4]), tables)
    assert real.ravel().tolist() == [2, 4, 0, 1, 3]
    assert [table.ravel().tolist() for table in own] == [[20, 40]] * 3


def test_nothing_moves_where_no_row_was_left_out(workspace: Workspace) -> None:
    real, (own,) = align(workspace, [controlled(workspace, None)], rows([0, 1]), [rows([5, 6, 7])])
    assert real.ravel().tolist() == [0, 1]
    assert own.ravel().tolist() == [5, 6]


def test_which_rows_are_left_is_part_of_what_a_stage_reads(workspace: Workspace) -> None:
    one, other = controlled(workspace, [0, 1]), controlled(workspace, [0, 1, 2])
    assert digests([one]) != digests([other])
    assert len(digests([controlled(workspace, None)])) == 1


def test_a_release_that_leaves_rows_out_is_judged_by_linkage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    site = make_site(tmp_path / "site")
    write_gate(site, gate_item("self_linkage_excess", "lower", max_value=0.02))
    drop = {"step": "drop_replicated_uniques", "keys": ["children", "stage", "region", "smoker"]}
    run = make_release(people_spec(site, sdc=[drop], disclosure={"cross_fit": False}))
    left = [each.ref.rows for each in run.made.controlled]
    assert min(left) < run.made.ingested.rows
    linked = run.made.ledger[run.made.ledger["metric"] == "self_linkage"]
    assert linked["n"].tolist() == left
    together = run.made.ledger[run.made.ledger["metric"] == "self_linkage_average"]
    assert 0 < together["n"].item() <= min(left)
