"""The files of a study."""

import json
from pathlib import Path

import pandas as pd
import pytest

from synth_tasks.study import run_replicates
from synth_tasks.study.results import StudyResults, write_results
from tests.study.builders import population, study_spec

FILES = {
    "coverage.parquet", "statistics.parquet", "estimates.parquet", "linkage.parquet",
    "failures.parquet", "report.html", "study.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def results() -> StudyResults:
    made = population()
    return StudyResults.of(made, run_replicates(made, 7, range(1, 9)))


@pytest.fixture(scope="module")
def folder(results: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "new" / "results"
    write_results(folder, results, study_spec(), private=True)
    return folder


def test_all_files_are_there_and_nothing_else(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES


def test_only_the_owner_can_read_them(folder: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_coverage_has_a_row_for_every_estimand(folder: Path, results: StudyResults) -> None:
    table = pd.read_parquet(folder / "coverage.parquet")
    pd.testing.assert_frame_equal(table, results.coverage, check_dtype=False)
    needed = {"term", "true", "bootstrap_bias", "bootstrap_coverage", "synthetic_bias",
              "synthetic_coverage"}  # fmt: skip
    assert needed <= set(table.columns)
    assert len(table) == 7


def test_every_estimate_can_be_looked_up(folder: Path, results: StudyResults) -> None:
    table = pd.read_parquet(folder / "estimates.parquet")
    assert len(table) == 8 * 2 * 7
    one = table.query("replicate == 3 and source == 'synthetic' and term == 'x'")
    assert one["estimate"].tolist() == [results.replicates.estimates[2, 1, 1, 0]]


def test_the_summary_names_what_was_studied_and_found(folder: Path) -> None:
    summary = json.loads((folder / "study.json").read_text())
    assert (summary["replicates"], summary["rows"], summary["synthesis"]["m"]) == (8, 120, 3)
    assert 0 <= summary["found"]["lowest_coverage"] <= 1


def test_the_report_is_one_file_with_its_pictures(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    assert text.count("<svg") == 3
    assert "http-equiv" in text
    assert "<script" not in text
    assert "PRIVATE" in text
    assert "reiter2003" not in text


def test_writing_again_gives_the_same_bytes(
    folder: Path, results: StudyResults, tmp_path: Path
) -> None:
    write_results(tmp_path, results, study_spec(), private=True)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
