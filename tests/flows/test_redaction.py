"""A library that quotes the values it chokes on does not reach whoever started a flow."""

from types import SimpleNamespace

import pytest
import yaml

from flows import frontier, release, reproduce, study
from flows.command_line import read_beforehand
from synth_tasks.errors import SynthError
from synth_tasks.release.spec_files import read_spec
from tests.release.builders import make_site, people_content
from tests.tasks.part_releasing import census_site, census_spec

VALUES = ("NAME0001ZQ", "987654.321987")


def crash(*_args, **_settings):
    """Fail as a library does."""
    raise ValueError(f"cannot handle {' '.join(VALUES)}")


@pytest.fixture
def spec(tmp_path, workspace_root):
    site = make_site(tmp_path / "site")
    content = people_content(frontier={"grid": {"minbucket": [5, 15]}, "replicates": 20})
    path = site / "spec.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def _original(monkeypatch):
    monkeypatch.setattr(reproduce, "find_original", lambda *_: SimpleNamespace())


@pytest.mark.usefixtures("_original")
@pytest.mark.parametrize(
    ("main", "crashing", "arguments", "what", "where"),
    [
        (release.main, "flows.release.load_source", [], "preflight", "release.py"),
        (release.main, "flows.release.load_source", ["--dry-run"], "preflight", "release.py"),
        (study.main, "flows.command_line.load_source", [], "read_beforehand", "command_line.py"),
        (
            reproduce.main,
            "flows.command_line.load_source",
            ["people/latest"],
            "read_beforehand",
            "command_line.py",
        ),
        (frontier.main, "flows.frontier.load_source", [], "check_settings", "frontier.py"),
    ],
)
def test_a_crash_before_the_start_is_one_line_without_values(
    spec, monkeypatch, capfd, main, crashing, arguments, what, where
):
    monkeypatch.setattr(crashing, crash)
    assert main([*arguments, "--spec", str(spec)]) == 2
    output = capfd.readouterr()
    assert output.out == ""
    assert_redacted(output.err, what, where)


def test_a_crash_of_the_survey_of_parts_tells_no_values(tmp_path, monkeypatch):
    spec = census_spec(census_site(tmp_path))
    monkeypatch.setattr("flows.release.survey_source", crash)
    monkeypatch.setattr("flows.command_line.survey_source", crash)
    with pytest.raises(
        SynthError, match=r"^preflight failed: ValueError in release\.py, line \d+$"
    ):
        release.preflight(spec)
    with pytest.raises(
        SynthError, match=r"^read_beforehand failed: ValueError in command_line\.py,"
    ):
        read_beforehand(spec, in_parts=True)


def test_a_crash_of_the_preview_is_one_line_without_values(spec, monkeypatch, capfd):
    monkeypatch.setattr("flows.release.preview_release", crash)
    assert release.main(["--spec", str(spec), "--dry-run"]) == 1
    assert_redacted(capfd.readouterr().err, "the command", "release.py")


def test_a_crash_of_a_draft_is_one_line_without_values(spec, monkeypatch, capfd, tmp_path):
    monkeypatch.setattr("synth_tasks.release.findings.load_source", crash)
    data = str(spec.parent / "people.csv")
    assert release.main(["--init", data, "--to", str(tmp_path / "draft")]) == 2
    assert_redacted(capfd.readouterr().err, "draft", "findings.py")


@pytest.mark.parametrize(
    ("flow", "crashing", "what", "arguments"),
    [
        (frontier.frontier, "flows.frontier.load_source", "check_settings", []),
        (frontier.frontier, "flows.frontier.results_folder", "frontier", []),
        (study.study, "flows.study.results_folder", "study", []),
        (release.release, "flows.release.check_policy", "release", []),
        (reproduce.reproduce, "flows.reproduce.check_policy", "reproduction", ["people/latest"]),
    ],
)
def test_a_crash_in_the_body_of_a_flow_leaves_no_values_in_its_state_or_log(
    spec, monkeypatch, capfd, caplog, flow, crashing, what, arguments
):
    monkeypatch.setattr(crashing, crash)
    state = flow(*arguments, read_spec(spec), return_state=True)
    assert state.is_failed()
    assert state.message.startswith(f"{what} failed: ValueError in ")
    output = capfd.readouterr()
    told = [caplog.text, output.out, output.err, state.model_dump_json()]
    assert f"{what} failed: ValueError" in caplog.text
    assert not [value for value in VALUES for text in told if value in text]
    assert "Traceback" not in caplog.text


def assert_redacted(error, what, where):
    assert error.startswith(f"error: {what} failed: ValueError in {where}, line ")
    assert error.count("\n") == 1
    assert not [value for value in VALUES if value in error]
