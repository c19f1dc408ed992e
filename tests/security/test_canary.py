"""No value of the data leaves the private workspace, but for what was drawn."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.release.builders import gate_item

ROOT = Path(__file__).parents[2]
RARE = "RAREQX81Z"
N_ROWS = 150


def make_people() -> pd.DataFrame:
    """Every number has seven digits that no other cell has, every name is a marker."""
    rng = np.random.default_rng(5)
    income = rng.choice(9_000_000, N_ROWS, replace=False) / 1000 + 1000
    weight = rng.choice(9_000_000, N_ROWS, replace=False) / 1000 + 20_000
    people = pd.DataFrame(
        {
            "name": [f"NAME{i:04d}ZQ" for i in range(N_ROWS)],
            "income": income.round(3),
            "weight": weight.round(3),
            "stage": rng.choice(["low", "mid", "high"], N_ROWS),
            "town": rng.choice(["north", "south", "east"], N_ROWS),
        }
    )
    people.loc[[3, 77], "town"] = RARE
    people.loc[0, "income"] = 987_654.321  # an outlier
    people.loc[rng.choice(N_ROWS, 8, replace=False), "weight"] = np.nan
    return people


def texts_of(people: pd.DataFrame) -> list[bytes]:
    numbers = pd.concat([people["income"], people["weight"]]).dropna()
    shown = [f"{value:.3f}".rstrip("0").rstrip(".") for value in numbers]
    return [text.encode() for text in (*shown, *people["name"], RARE)]


def binaries_of(people: pd.DataFrame) -> list[bytes]:
    """Return the numbers as they lie in memory, Parquet and SQLite."""
    numbers = pd.concat([people["income"], people["weight"]]).dropna()
    return [struct.pack(order, value) for value in numbers for order in ("<d", ">d")]


@dataclass(frozen=True)
class Run:
    """What the scenarios left behind."""

    folder: Path
    people: pd.DataFrame
    output: bytes


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("canary")
    site, people = folder / "site", make_people()
    places = {name: folder / name for name in ("site", "prefect", "tmp", "home", "private")}
    for place in places.values():
        place.mkdir()
    people.to_csv(site / "people.csv", index=False)
    suites = {
        "passes": [gate_item("unique_exact_match", max_value=1.0)],
        "fails": [gate_item("unique_exact_match", max_value=-1.0)],
        "warns": [
            gate_item("unique_exact_match", max_value=1.0),
            gate_item("repU", max_value=-1.0) | {"severity": "warning", "description": "none"},
        ],
    }
    for name, items in suites.items():
        (site / f"{name}.json").write_text(json.dumps({"name": "gate", "expectations": items}))
    environment = {
        **os.environ,
        "PREFECT_HOME": str(places["prefect"]),
        "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(places["prefect"] / "results"),
        "TMPDIR": str(places["tmp"]),
        "HOME": str(places["home"]),
        "XDG_CACHE_HOME": str(places["home"] / "cache"),
        "SYNTH_WORKSPACE": str(places["private"]),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "tests.security.canary", str(site)]
    done = subprocess.run(command, cwd=site, env=environment, capture_output=True)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output.decode()[-3000:]
    return Run(folder, people, output)


def files_outside(run: Run) -> Iterator[Path]:
    """List all files that anybody but the steward may see."""
    for path in sorted(run.folder.rglob("*")):
        inside = path.is_relative_to(run.folder / "private")
        if path.is_file() and not path.is_symlink() and not inside and path.name != "people.csv":
            yield path


def found_in(content: bytes, markers: list[bytes]) -> list[bytes]:
    return [marker for marker in markers if marker in content]


def test_the_markers_are_in_the_private_workspace_so_that_the_search_can_find_them(
    run: Run,
) -> None:
    inside = b"".join(p.read_bytes() for p in (run.folder / "private").rglob("*") if p.is_file())
    assert found_in(inside, texts_of(run.people))


def test_the_search_covers_database_results_release_and_temporary_files(run: Run) -> None:
    paths = [str(path.relative_to(run.folder)) for path in files_outside(run)]
    assert any(path.startswith("prefect/") and path.endswith(".db") for path in paths)
    assert sum(path.startswith("site/out/people/") for path in paths) > 20


def test_no_marker_is_in_any_file_outside(run: Run) -> None:
    texts = texts_of(run.people)
    # The rare level is declared in the specifications, which are the steward's own files.
    specs = {path for path in files_outside(run) if path.suffix == ".yaml"}
    leaks = {
        str(path.relative_to(run.folder)): found_in(path.read_bytes(), texts)
        for path in files_outside(run)
        if path not in specs
    }
    leaks = {path: found for path, found in leaks.items() if found and found != [RARE.encode()]}
    assert leaks == {}


def test_no_number_is_in_any_file_in_binary_form(run: Run) -> None:
    binaries = binaries_of(run.people)
    leaks = [path for path in files_outside(run) if found_in(path.read_bytes(), binaries)]
    assert leaks == []


def test_the_rare_level_is_in_no_release(run: Run) -> None:
    released = [p for p in (run.folder / "site" / "out").rglob("*") if p.is_file()]
    assert len(released) > 20
    named = [p.name for p in released if RARE.encode() in p.read_bytes()]
    assert named == []


def test_no_marker_is_shown_in_the_terminal(run: Run) -> None:
    assert found_in(run.output, texts_of(run.people)) == []
    assert b"scenario frontier: exit code 0" in run.output
