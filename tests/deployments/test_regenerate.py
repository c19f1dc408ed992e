"""What deployments/ci does with a release made anew; how it is made is tested by its flow."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from deployments.ci import regenerate
from synth_tasks.data import infer_schema
from synth_tasks.errors import SynthError
from synth_tasks.release.bundle import write_json, write_manifest
from synth_tasks.release.bundle import write_public as write_text
from synth_tasks.release.codebook import Codebook
from synth_tasks.release.formats import write_data
from synth_tasks.release.manifest import make_datapackage
from synth_tasks.release.spec_files import read_spec
from synth_tasks.release.stores import open_store
from tests.release.builders import make_site, people_content

ROOT = Path(__file__).parents[2]
PUBLISHED, OTHER = "ab" * 32, "cd" * 32


def write_release(target: Path, spec_file: Path, digest: str, height: float) -> None:
    """Publish two sets in the way of the flow, unless a release of this digest is there."""
    releases = open_store(str(target), "people")
    if releases.find(digest) is not None:
        return
    frame = pd.DataFrame({"hgt": [170.5, height]})
    with releases.staging() as draft:
        spec, schema, codebook = read_spec(spec_file), infer_schema(frame), Codebook()
        files = write_data(draft, "people", [frame, frame], ["csv"], schema, codebook)
        package = make_datapackage(spec, schema, "1", draft, files, codebook)
        write_json(draft / "datapackage.json", package)
        write_text(draft / "validation" / "ledger.csv", "family,metric,target,keys,set,value\n")
        version = releases.next_version(digest)
        manifest = {"name": "people", "version": version, "gates": [], "packages": {}}
        write_manifest(draft, {"digest": digest, **manifest})
        releases.commit(draft, version)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_site(tmp_path / "site")


@pytest.fixture
def spec_file(site: Path) -> Path:
    (site / "people.yaml").write_text(yaml.safe_dump(people_content()))
    return site / "people.yaml"


@pytest.fixture
def published(tmp_path: Path, spec_file: Path) -> Path:
    write_release(tmp_path / "published", spec_file, PUBLISHED, 180.5)
    return tmp_path / "published"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the flow makes; it may be changed by the test."""
    what = {"digest": PUBLISHED, "height": 180.5}
    monkeypatch.setattr(
        regenerate, "_release", lambda file, target: write_release(target, file, **what)
    )
    return what


def run(spec_file: Path, published: Path, *more: str) -> int:
    return regenerate.main(["--spec", str(spec_file), "--published", str(published), *more])


def versions(published: Path) -> list[str]:
    return open_store(str(published), "people").versions()


def test_the_same_release_ends_with_0(
    spec_file: Path, published: Path, made: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(spec_file, published) == 0
    assert "# The release of people is unchanged" in capsys.readouterr().out


def test_a_changed_release_ends_with_1_and_is_told_but_not_published(
    spec_file: Path,
    published: Path,
    made: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made |= {"digest": OTHER, "height": 181.5}
    report = tmp_path / "summary.md"
    assert run(spec_file, published, "--report", str(report)) == 1
    text = capsys.readouterr().out
    assert "| hgt, mean | 175.5 | 176 | +0.087 sd |" in text
    assert report.read_text() == text
    assert versions(published) == ["1-abababab"]


def test_a_changed_release_is_published_if_asked_for(
    spec_file: Path, published: Path, made: dict[str, Any]
) -> None:
    made |= {"digest": OTHER, "height": 181.5}
    assert run(spec_file, published, "--publish") == 0
    assert versions(published) == ["1-abababab", "2-cdcdcdcd"]
    assert os.readlink(published / "people" / "latest") == "2-cdcdcdcd"


def test_an_unchanged_release_is_not_published_again(
    spec_file: Path, published: Path, made: dict[str, Any]
) -> None:
    made |= {"digest": OTHER}
    assert run(spec_file, published, "--publish") == 0
    assert versions(published) == ["1-abababab"]


def test_a_release_that_was_never_published_counts_as_changed(
    spec_file: Path, tmp_path: Path, made: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(spec_file, tmp_path / "empty") == 1
    assert "# The release of people is new" in capsys.readouterr().out
    assert run(spec_file, tmp_path / "empty", "--publish") == 0
    assert versions(tmp_path / "empty") == ["1-abababab"]


def test_what_only_other_packages_have_changed_is_not_passed_off_as_published(
    spec_file: Path, published: Path, made: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made |= {"height": 181.5}
    assert run(spec_file, published, "--publish") == 2
    assert "same data, specification and engine" in capsys.readouterr().err
    assert versions(published) == ["1-abababab"]


def test_a_release_that_fails_ends_with_2(
    spec_file: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: Path, target: Path) -> None:
        raise SynthError("the release failed or was refused, for the reason above")

    monkeypatch.setattr(regenerate, "_release", fail)
    assert run(spec_file, published) == 2


def test_a_published_release_that_was_tampered_with_ends_with_2(
    spec_file: Path, published: Path, made: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (published / "people" / "latest" / "data" / "people-1.csv").write_text("hgt\n1\n")
    assert run(spec_file, published) == 2
    assert "changed after publication" in capsys.readouterr().err


def test_confidential_data_are_refused_before_anything_is_made(
    site: Path, published: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("a command was run"))
    content = people_content(publish={"seed": None})
    (site / "secret.yaml").write_text(yaml.safe_dump(content))
    assert run(site / "secret.yaml", published) == 2
    assert "publish.seed is not given" in capsys.readouterr().err


@pytest.mark.parametrize("code", [1, 2])
def test_the_release_is_the_command_of_the_user_in_a_workspace_that_vanishes(
    code: int, spec_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_SEED", "5")
    seen: dict[str, Any] = {}

    def fake(command: list[str], env: dict[str, str], stdout: int) -> Any:
        seen.update(command=command, env=env, there=Path(env["SYNTH_WORKSPACE"]).is_dir())
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", fake)
    with pytest.raises(SynthError, match="failed or was refused"):
        regenerate._release(spec_file, tmp_path)
    assert seen["command"][1:] == [
        "-m", "flows.release", "--spec", str(spec_file), "--to", str(tmp_path)
    ]  # fmt: skip
    assert seen["there"]
    assert not Path(seen["env"]["SYNTH_WORKSPACE"]).exists()
    assert "SYNTH_SEED" not in seen["env"]
