"""A release in parts, through the flow and the command line."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from flows.release import main, release
from flows.reproduce import reproduce
from synth_tasks.release.bundle import verify
from synth_tasks.release.survey import survey_source
from synth_tasks.tasks import part_models
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
    synthesis = {"m": 1, "quick_predictors": {"mincor": 0.05}}
    spec = census_spec(site, synthesis=synthesis, pooling={"rule": "raab2016"})
    state = release(spec, str(site / "releases"), return_state=True)
    assert state.is_completed(), state.message
    folder = Path(state.result()["folder"])
    verify(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    parts = [name for name in manifest["files"] if name.startswith("data/census-1/")]
    assert len(parts) == manifest["strata"]
    assert manifest["synthesis"]["predictors"] == {}
    assert "in each stratum" in manifest["synthesis"]["predictors_chosen"]
    assert not list((site.parent / "workspace" / "census" / "stages").iterdir())
    again = release(spec, str(site / "releases"), return_state=True)
    assert "nothing new" in again.message
    made_again = reproduce(str(folder), spec, return_state=True)
    assert made_again.is_completed(), made_again.message
    assert "identical" in made_again.message


def test_a_gate_that_one_stratum_does_not_meet_refuses_and_names_it(site, monkeypatch):
    spec = census_spec(site, synthesis={"m": 1}, pooling={"rule": "raab2016"})
    copied = survey_source(spec).division.labels.index("region 20")
    control = part_models.control_set.fn

    def leak(own, real, *arguments):
        found = control(own, real, *arguments)
        return replace(found, ref=real) if own.stratum == copied else found

    monkeypatch.setattr(part_models.control_set, "fn", leak)
    state = release(spec, str(site / "releases"), return_state=True)
    assert state.is_failed()
    assert "1 critical check(s) failed: unique_exact_match is within bounds" in state.message
    worst = f"worst stratum {copied + 1}: unique_exact_match set 1: value 1 (allowed ≤ 0.2)"
    assert worst in state.message
    # The mean over all strata would have let it pass.
    mean = re.search(r"bounds: unique_exact_match: value (\S+) \(allowed", state.message)
    assert float(mean[1]) < 0.2
    assert not (site / "releases").exists()


def test_the_preview_says_what_still_reads_all_rows(site, capsys):
    assert main(["--spec", str(write_spec(site)), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert f"census: {N_ROWS} rows" in shown
    largest = survey_source(census_spec(site)).division.sizes.max()
    assert f"whole table: no step holds it, but {largest} of {N_ROWS} rows at once" in shown
    assert "analysis ols: income ~ age + hours: reads 3 columns of all rows" in shown
    assert "merged from 20 combinations" in shown
    assert not (site / "releases").exists()


def test_the_preview_says_if_one_stratum_is_the_whole_table(site, capsys):
    synthesis = {"m": 2, "strata": ["sex"], "min_stratum_size": N_ROWS}
    assert main(["--spec", str(write_spec(site, synthesis=synthesis)), "--dry-run"]) == 0
    assert "whole table: held at once: there is one stratum" in capsys.readouterr().out


def test_a_source_that_comes_in_one_piece_is_refused_before_the_start(site, capsys):
    path = write_spec(site, dataset={"name": "boys", "source": {"builtin": "boys"}})
    assert main(["--spec", str(path)]) == 2
    assert "cannot be read in pieces" in capsys.readouterr().err
