"""A method that another package brings, found through its entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = Path(__file__).parent / "example_plugin"

# Runs in a process of its own: a method once registered stays.
SYNTHESIZE = """
import json, sys
import numpy as np
import pandas as pd
from synth_tasks import synthesize
from synth_tasks.errors import PlanError

def outcome(options):
    try:
        imputed = synthesize(
            real, m=1, seed=1, method={"y": "truncnorm"}, method_options={"truncnorm": options}
        )
    except PlanError as error:
        return str(error)
    return imputed.complete(1).to_dict("list")

rng = np.random.default_rng(1)
x = rng.standard_normal(1000)
real = pd.DataFrame({"x": x, "y": 2 * x + rng.standard_normal(1000)})
outcomes = [outcome(options) for options in json.loads(sys.argv[1])]
print(json.dumps({"real": real.to_dict("list"), "outcomes": outcomes}))
"""


def install(folder: Path) -> None:
    """Write what an installer leaves beside a package: its name and its entry points."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def run(folders: list[Path], options: list[dict[str, float]]) -> dict[str, Any]:
    """Synthesize with truncnorm, once per set of options, in a process that sees these folders."""
    path = os.pathsep.join(str(folder) for folder in (*folders, ROOT))
    finished = subprocess.run(
        [sys.executable, "-c", SYNTHESIZE, json.dumps(options)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process says in which the package is installed."""
    folder = tmp_path_factory.mktemp("site-packages")
    install(folder)
    options = [{}, {"lower": 1.0, "upper": 2.5}, {"low": 1.0}, {"lower": 2.0, "upper": 1.0}]
    return run([folder, PACKAGE], options)


def correlation(table: dict[str, list[float]]) -> float:
    return np.corrcoef(table["x"], table["y"])[0, 1]


def test_an_installed_package_adds_its_method(installed: dict[str, Any]) -> None:
    real, synthetic = installed["real"], installed["outcomes"][0]
    assert min(real["y"]) <= min(synthetic["y"]) < max(synthetic["y"]) <= max(real["y"])
    assert not set(real["y"]) & set(synthetic["y"])
    # Standard error of either correlation: (1 - 0.8) / √1000 = 0.006.
    assert correlation(synthetic) == pytest.approx(correlation(real), abs=0.035)


def test_its_options_are_passed_on(installed: dict[str, Any]) -> None:
    y = installed["outcomes"][1]["y"]
    assert 1.0 <= min(y) < max(y) <= 2.5


def test_its_options_are_checked(installed: dict[str, Any]) -> None:
    assert installed["outcomes"][2:] == [
        "method 'truncnorm' has no option 'low'; it has lower, upper",
        "method_options.truncnorm.lower must be less than its upper",
    ]


def test_without_the_package_the_known_methods_are_named() -> None:
    (said,) = run([PACKAGE], [{}])["outcomes"]
    assert said.startswith("unknown method 'truncnorm'; use one of ")
    assert {"cart", "norm", "pmm", "sample"} <= set(said.split("use one of ")[1].split(", "))
