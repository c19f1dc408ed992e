"""A release on which a steward decides, from the command line and in a flow."""

import json
from pathlib import Path

import pytest
import yaml

from flows import reproduce
from flows.approval import take_decision
from flows.release import main
from synth_tasks.errors import SpecError
from tests.release.builders import gate_item, make_site, people_content, write_gate
from tests.release.published import make_key

WARNS = gate_item("repU", max_value=-1.0) | {"severity": "warning", "description": "repU is nil"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release whose gate warns."""
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    site = make_site(tmp_path / "site")
    write_gate(site, gate_item("unique_exact_match", max_value=0.01), WARNS)
    content = people_content(disclosure={"cross_fit": False})
    (site / "spec.yaml").write_text(yaml.safe_dump(content))
    return site


def sign(site: Path) -> None:
    """Name a signing key in the specification."""
    content = yaml.safe_load((site / "spec.yaml").read_text())
    content["publish"]["signing_key"] = str(make_key(site))
    (site / "spec.yaml").write_text(yaml.safe_dump(content))


def run(site: Path, *arguments: str) -> int:
    return main(["--spec", str(site / "spec.yaml"), "--to", str(site / "releases"), *arguments])


def versions(site: Path) -> list[Path]:
    folder = site / "releases" / "people"
    return [p for p in folder.glob("*-*") if not p.is_symlink()] if folder.is_dir() else []


def test_a_warning_waits_for_a_decision_which_the_manifest_records(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(site) == 3
    assert "--approve NAME --reason TEXT" in capsys.readouterr().out
    assert versions(site) == []
    (report,) = (tmp_path / "workspace" / "people" / "reviews").glob("*/report.html")
    assert "PRIVATE" in report.read_text()

    assert run(site, "--approve", "Ada Lovelace", "--reason", "one warning, understood") == 0
    (version,) = versions(site)
    approval = json.loads((version / "manifest.json").read_text())["approval"]
    assert (approval["approved"], approval["name"]) == (True, "Ada Lovelace")
    assert approval["reason"] == "one warning, understood"

    # Nobody is asked when it is made again: the decision is part of the release.
    assert reproduce.main([str(version), "--spec", str(site / "spec.yaml")]) == 0
    assert f"identical: {version}" in capsys.readouterr().out


def test_what_nobody_has_read_is_not_approved(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decided = "--approve", "Ada Lovelace", "--reason", "one warning, understood"
    assert run(site, *decided) == 3
    assert "nobody has read this report yet" in capsys.readouterr().out
    assert versions(site) == []
    people = (site / "people.csv").read_text().splitlines()
    (site / "people.csv").write_text("\n".join([*people[:-1], people[1]]) + "\n")
    assert run(site, *decided) == 3
    assert versions(site) == []
    assert run(site, *decided) == 0


def test_a_rejected_release_is_kept_in_quarantine_and_stays_rejected(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sign(site)
    assert run(site, "--reject", "Ada", "--reason", "too few rows") == 1
    assert "rejected by Ada: too few rows" in capsys.readouterr().err
    assert versions(site) == []
    (kept,) = (tmp_path / "workspace" / "people" / "quarantine").iterdir()
    assert (kept / "data").is_dir()
    assert json.loads((kept / "manifest.json").read_text())["approval"]["approved"] is False
    assert kept.stat().st_mode & 0o777 == 0o700
    assert not (kept / "manifest.json.sig").exists()
    # Nobody asks twice about the same sets.
    assert run(site) == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((None, None, "so"), "goes with --approve"),
        (("Ada", None, None), "need --reason"),
        (("", None, "so"), "approval: name"),
    ],
)
def test_half_a_decision_is_refused(options: tuple[str | None, ...], reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        take_decision(*options)
