"""The study as its users start it."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from flows.study import main, study
from synth_tasks.release.sections import PublishSpec
from synth_tasks.release.spec import ReleaseSpec, change_spec
from synth_tasks.release.spec_files import read_spec
from synth_tasks.study import Population, Replicates
from synth_tasks.tasks import study as tasks
from tests.release.builders import make_site, people_spec

ROOT = Path(__file__).parents[2]
N = 12


def boys_spec(**sections: dict[str, object]) -> ReleaseSpec:
    spec = read_spec(ROOT / "deployments" / "study.yaml")
    return change_spec(spec, {"study": {"replicates": N}, **sections})


def run(spec: ReleaseSpec, to: Path | None, workspace: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTH_WORKSPACE", str(workspace))
        state = study(spec, None if to is None else str(to), return_state=True)
    assert state.is_completed(), state.message
    return Path(state.result()["folder"])


@pytest.fixture(scope="module")
def by_threads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("threads")
    return run(boys_spec(), folder / "results", folder / "workspace")


def test_the_results_are_tables_a_summary_and_a_report(by_threads: Path) -> None:
    coverage = pd.read_parquet(by_threads / "coverage.parquet")
    assert len(coverage) == 44
    hgt = coverage[coverage["analysis"] == "ols: hgt ~ age + phb"].set_index("term")
    # Volker & Vink (2021), Table 4.
    assert hgt["true"].round(3).tolist() == [63.087, 7.174, -12.25, -1.376, -3.564, -0.431, 2.064]
    assert (coverage["replicates"] == N).all()
    assert json.loads((by_threads / "study.json").read_text())["replicates"] == N
    assert "<svg" in (by_threads / "report.html").read_text()


@pytest.mark.parametrize(
    "how",
    [
        {"runner": "threads", "workers": 1},
        {"runner": "processes", "workers": 2},
        {"runner": "dask", "workers": 2},
    ],
    ids=["one thread", "processes", "dask"],
)
def test_no_runner_changes_a_byte(by_threads: Path, how: dict[str, object], tmp_path: Path) -> None:
    folder = run(boys_spec(run=how), tmp_path / "results", tmp_path / "workspace")
    for file in by_threads.iterdir():
        assert (folder / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_study_that_failed_goes_on_where_it_stopped(
    by_threads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks that were finished are taken from the workspace, not run again."""
    spec, real = boys_spec(run={"workers": 2}), tasks.run_replicates
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))

    def fail_at_the_end(population: Population, seed: int, numbers: Sequence[int]) -> Replicates:
        if list(numbers)[-1] == N:
            raise MemoryError
        return real(population, seed, numbers)

    monkeypatch.setattr(tasks, "run_replicates", fail_at_the_end)
    state = study(spec, str(tmp_path / "results"), return_state=True)
    assert state.is_failed()
    assert "MemoryError" in str(state.message)
    assert not (tmp_path / "results" / "coverage.parquet").exists()

    computed: list[int] = []

    def count(population: Population, seed: int, numbers: Sequence[int]) -> Replicates:
        computed.extend(numbers)
        return real(population, seed, numbers)

    monkeypatch.setattr(tasks, "run_replicates", count)
    folder = run(spec, tmp_path / "results", tmp_path / "workspace")
    assert 0 < len(computed) < N
    for file in by_threads.iterdir():
        assert (folder / file.name).read_bytes() == file.read_bytes()


def test_results_of_confidential_data_stay_in_the_workspace(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site")
    spec = people_spec(site, study={"replicates": 3}).model_copy(update={"publish": PublishSpec()})
    folder = run(spec, None, tmp_path / "workspace")
    assert folder.is_relative_to(tmp_path / "workspace")
    assert "PRIVATE" in (folder / "report.html").read_text()
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--replicates", "1"], "study.replicates"),
        (["--workers", "0"], "run.workers"),
        (["--spec", "nowhere.yaml"], "nowhere.yaml"),
        (["--seed", "-5"], "--seed"),
    ],
)
def test_wrong_input_is_refused_before_prefect_starts(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert reason in error


def test_the_command_line_shows_coverage_and_says_where_the_report_is(tmp_path: Path) -> None:
    environment = {**os.environ, "SYNTH_WORKSPACE": str(tmp_path / "workspace")}
    command = [
        sys.executable,
        "-m",
        "flows.study",
        "--replicates",
        "3",
        "--to",
        str(tmp_path / "x"),
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "ols: hgt ~ age + phb" in done.stdout
    assert f"report: {tmp_path / 'x' / 'report.html'}" in done.stdout
