"""The comparison of settings as its users start it."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from flows.frontier import frontier, main
from synth_tasks.release.spec import build_spec
from tests.release.builders import make_site, people_content


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("frontier")
    site = make_site(base / "site")
    grid = {"minbucket": [5, 15], "smoothing": [None, "spline"]}
    content = people_content(frontier={"grid": grid, "replicates": 20})
    spec = build_spec(content, base=site)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTH_WORKSPACE", str(base / "workspace"))
        state = frontier(spec, str(base / "results"), return_state=True)
    assert state.is_completed(), state.message
    return Path(state.result()["folder"])


def test_every_setting_is_measured_and_judged(folder: Path) -> None:
    table = pd.read_parquet(folder / "frontier.parquet")
    assert table["number"].tolist() == [1, 2, 3, 4]
    assert table["setting"][3] == "minbucket 15, smoothing spline"
    assert table["efficient"].any()
    assert table["recommended"].sum() <= 1


def test_the_report_shows_the_map(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    assert text.count("<svg") == 1
    assert "minbucket 15, smoothing spline" in text


@pytest.mark.parametrize(
    ("grid", "reason"),
    [({"minbucket": [0]}, "minbucket"), ({"m": [1]}, r"synthesis.m"), ({"leaves": [3]}, "leaves")],
)
def test_a_setting_that_is_not_allowed_is_refused_before_prefect_starts(
    grid: dict[str, list[object]], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = make_site(tmp_path / "site")
    (site / "spec.yaml").write_text(yaml.safe_dump(people_content(frontier={"grid": grid})))
    assert main(["--spec", str(site / "spec.yaml")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert reason in error
