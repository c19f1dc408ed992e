"""The first hour: from a data file to a draft, a dry run and a release."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deployments.ci import regenerate
from flows import frontier, release, reproduce, study, verify, withdraw
from flows.release import main
from synth_tasks.datasets import load_boys
from tests.release.builders import MARKER, make_people, make_site, people_content

ROOT = Path(__file__).parents[2]


@pytest.fixture
def no_network(monkeypatch):
    """Whatever starts Prefect needs a connection to its server."""

    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def files(folder: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["boys", "people"])
def test_a_release_from_the_draft_runs_as_it_stands(
    tmp_path, workspace_root, monkeypatch, capsys, name
):
    monkeypatch.setenv("SYNTH_SEED", "1")
    data = load_boys() if name == "boys" else make_people()
    data.to_csv(tmp_path / f"{name}.csv", index=False)
    assert main(["--init", str(tmp_path / f"{name}.csv"), "--to", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 3 <= len(lines) <= 6
    assert lines[-1].endswith("--dry-run")
    written = sorted(p.name for p in (tmp_path / "expectations" / name).iterdir())
    assert written == ["completed.json", "gate.json", "source.json", "synthetic.json"]
    spec = ["--spec", str(tmp_path / f"{name}.yaml")]
    assert main([*spec, "--dry-run"]) == 0
    if name == "people":
        return  # ninety rows of noise: the gate is right to find that the sets tell of persons
    assert main([*spec, "--to", str(tmp_path / "releases")]) == 0
    assert (tmp_path / "releases" / name / "latest" / "manifest.json").is_file()


def test_a_draft_never_overwrites(tmp_path, capsys):
    make_people().to_csv(tmp_path / "people.csv", index=False)
    arguments = ["--init", str(tmp_path / "people.csv"), "--to", str(tmp_path)]
    assert main(arguments) == 0
    before = files(tmp_path)
    assert main(arguments) == 2
    assert "is not overwritten" in capsys.readouterr().err
    assert files(tmp_path) == before


def test_a_narrow_table_is_drafted_so_that_the_gate_can_judge_it(tmp_path, workspace_root, capsys):
    make_people()[["wgt", "stage", "region"]].to_csv(tmp_path / "people.csv", index=False)
    assert main(["--init", str(tmp_path / "people.csv"), "--to", str(tmp_path)]) == 0
    path = tmp_path / "people.yaml"
    drafted = yaml.safe_load(path.read_text())
    assert len(drafted["disclosure"]["targets"]) == 1
    assert main(["--spec", str(path), "--dry-run"]) == 0
    drafted["disclosure"] = {"keys": ["wgt", "stage", "region"]}
    path.write_text(yaml.safe_dump(drafted))
    for dry in (["--dry-run"], []):
        assert main(["--spec", str(path), "--to", str(tmp_path / "releases"), *dry]) == 2
        error = capsys.readouterr().err
        assert error.startswith(
            "error: disclosure: no column that is no key is left to be a target"
        )


@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["summary", "draft"])
def test_names_of_columns_are_shown_and_not_obeyed(tmp_path, capsys, dry):
    """A name may clear the screen, break the line, or write from right to left."""
    people = make_people().rename(columns={"region": "r\x1b[2J\ne\u202e", "hgt": "hgt\u202e"})
    people.assign(**{"c\x1b[2J": "x"}).to_csv(tmp_path / "people.csv", index=False)
    assert main(["--init", str(tmp_path / "people.csv"), "--to", str(tmp_path), *dry]) == 0
    shown = capsys.readouterr().out
    assert all(sign.isprintable() for sign in shown.replace("\n", ""))
    assert ("c?[2J" in shown) != bool(dry)
    if dry:
        assert yaml.safe_load(shown)["dataset"]["drop"] == ["c\x1b[2J"]


def test_a_dry_run_shows_the_plan_writes_nothing_and_starts_nothing(
    tmp_path, workspace_root, capsys, no_network
):
    site = make_site(tmp_path / "site")
    (site / "spec.yaml").write_text(yaml.safe_dump(people_content()))
    before = files(tmp_path)
    assert main(["--spec", str(site / "spec.yaml"), "--dry-run", "--to", str(tmp_path / "r")]) == 0
    shown = capsys.readouterr().out
    assert files(tmp_path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["site"]
    assert "3 sets of 90 rows" in shown
    assert "cost: about" in shown
    assert "nothing was written" in shown
    assert str(MARKER) not in shown


def test_a_dry_run_finds_what_a_release_would_refuse(tmp_path, workspace_root, capsys, no_network):
    site = make_site(tmp_path)
    content = people_content(disclosure={"keys": ["regoin"]})
    (site / "spec.yaml").write_text(yaml.safe_dump(content))
    assert main(["--spec", str(site / "spec.yaml"), "--dry-run"]) == 2
    assert "did you mean 'region'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [release, study, frontier, reproduce, verify, withdraw, regenerate],
    ids=lambda module: module.__name__,
)
def test_help_has_examples_and_exit_codes(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["--help"])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert f"python -m {command.__name__} " in shown.partition("examples:")[2]
    assert "exit codes:\n  0 " in shown
    assert "\n  2 " in shown


def test_a_dry_draft_shows_the_specification_and_writes_nothing(tmp_path, capsys):
    make_people().to_csv(tmp_path / "people.csv", index=False)
    before = files(tmp_path)
    assert main(["--init", str(tmp_path / "people.csv"), "--to", str(tmp_path), "--dry-run"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["dataset"]["name"] == "people"
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (release, ["--spec", ""]),
        (release, ["--to", ""]),
        (verify, [""]),
        (withdraw, ["", "--reason", "a", "--name", "b"]),
    ],
)
def test_a_variable_of_the_shell_that_is_not_set_is_no_argument(command, arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 2
    assert "is empty: leave it out, or give a value" in capsys.readouterr().err


@pytest.mark.parametrize("command", [study, frontier])
@pytest.mark.parametrize("to", ["s3://bucket/x", "block:store", "/dev/null"])
def test_results_go_to_a_folder_or_nothing_is_started(command, to, capsys, workspace_root):
    assert command.main(["--to", to]) == 2
    assert "name a folder" in capsys.readouterr().err.replace("give a folder", "name a folder")


def test_a_terminal_that_does_not_know_a_letter_shows_a_question_mark(tmp_path):
    environment = os.environ | {
        "PYTHONIOENCODING": "ascii",
        "SYNTH_WORKSPACE": str(tmp_path / "workspace"),
    }
    command = [sys.executable, "-m", "flows.release", "--dry-run"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"?" in done.stdout
    assert done.stdout.isascii()


@pytest.mark.parametrize(("command", "code"), [(verify, 2), (withdraw, 1)])
def test_what_nobody_has_foreseen_ends_in_one_line_without_values(
    command, code, capsys, monkeypatch
):
    monkeypatch.setattr(command, "local_path", lambda *_: int("Q918273Z"))
    assert command.main(["x", *(["--reason", "a", "--name", "b"] if code == 1 else [])]) == code
    error = capsys.readouterr().err
    assert error.startswith("error: the command failed: ValueError in ")
    assert "Q918273Z" not in error
