"""Every line of the engine's README works as it stands."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

import synth_tasks.engine
from synth_tasks.engine import registry
from synth_tasks.release.spec import build_spec
from synth_tasks.release.stages import load_source

TEXT = (Path(synth_tasks.engine.__file__).parent / "README.md").read_text()
PRELUDE, OWN_METHOD = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| what")
]
LINES = [(row[0], row[1].strip("`")) for row in ROWS]
SETTINGS = [(row[0], row[2].strip("` |")) for row in ROWS if len(row) > 2 and row[2].strip("` |")]
BASE = {"dataset": {"name": "boys", "source": {"builtin": "boys"}}}


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(PRELUDE, found)  # noqa: S102
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines")


def test_the_tables_are_read() -> None:
    assert len(LINES) > 35
    assert len(SETTINGS) > 25


@pytest.mark.parametrize(("what", "line"), LINES, ids=[what for what, _ in LINES])
def test_the_line_of_python_runs(
    what: str, line: str, names: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "conditioning='observed'")
        eval(line, dict(names))  # noqa: S307


@pytest.mark.parametrize(("what", "setting"), SETTINGS, ids=[what for what, _ in SETTINGS])
def test_the_setting_is_understood(what: str, setting: str, tmp_path: Path) -> None:
    load_source(build_spec(BASE | yaml.safe_load(setting), tmp_path))


def test_the_example_of_a_method_runs(
    names: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))
    exec(OWN_METHOD, dict(names))  # noqa: S102
    assert "neighbour" in registry._METHODS
