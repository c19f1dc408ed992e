"""A release in parts, through the flow and the command line."""

import json
from pathlib import Path

import pytest
import yaml

from flows.release import main, release
from flows.reproduce import reproduce
from synth_tasks.release.bundle import verify
from tests.tasks.part_releasing import N_ROWS, census_site, census_spec


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.chdir(tmp_path)
    return census_site(tmp_path / "site")


def write_spec(site: Path, **sections) -> Path:
    content = census_spec(site, **sections).model_dump(mode="json", exclude={"base"})
    path = site / "spec.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_release_in_parts_is_published_once_and_can_be_made_again(site):
    spec = census_spec(site, synthesis={"m": 1}, pooling={"rule": "raab2016"})
    state = release(spec, str(site / "releases"), return_state=True)
    assert state.is_completed(), state.message
    folder = Path(state.result()["folder"])
    verify(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    parts = [name for name in manifest["files"] if name.startswith("data/census-1/")]
    assert len(parts) == manifest["strata"]
    assert not list((site.parent / "workspace" / "census" / "stages").iterdir())
    again = release(spec, str(site / "releases"), return_state=True)
    assert "nothing new" in again.message
    made_again = reproduce(str(folder), spec, return_state=True)
    assert made_again.is_completed(), made_again.message


def test_a_gate_that_one_stratum_does_not_meet_refuses_and_names_it(site):
    gate = json.loads((site / "gate.json").read_text())
    gate["expectations"][0]["kwargs"]["max_value"] = -1
    (site / "gate.json").write_text(json.dumps(gate))
    state = release(census_spec(site), str(site / "releases"), return_state=True)
    assert state.is_failed()
    assert "worst stratum" in state.message
    assert not (site / "releases").exists()


def test_the_preview_says_what_still_reads_all_rows(site, capsys):
    assert main(["--spec", str(write_spec(site)), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert f"census: {N_ROWS} rows" in shown
    assert "whole table: no step holds it" in shown
    assert "analysis ols: income ~ age + hours: reads 3 columns of all rows" in shown
    assert "merged from 20 combinations" in shown
    assert not (site / "releases").exists()


def test_a_source_that_comes_in_one_piece_is_refused_before_the_start(site, capsys):
    path = write_spec(site, dataset={"name": "boys", "source": {"builtin": "boys"}})
    assert main(["--spec", str(path)]) == 2
    assert "cannot be read in pieces" in capsys.readouterr().err
