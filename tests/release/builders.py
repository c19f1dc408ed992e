"""A small confidential data set with every kind of variable, and specifications of its release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.release.spec import ReleaseSpec, build_spec

# A height that no synthetic row can have by chance, and no message may quote.
MARKER = 187.6543
N_ROWS = 90
BMI = "~ wgt / (hgt / 100)**2"


def make_people(n_rows: int = N_ROWS) -> pd.DataFrame:
    """Make the table as it stands in the CSV file: texts for categories, holes in most columns."""
    rng = np.random.default_rng(7)
    hgt = rng.normal(170, 9, n_rows).round(1)
    wgt = (hgt * 0.9 - 85 + rng.normal(0, 6, n_rows)).round(1)
    hgt[17] = MARKER
    people = pd.DataFrame(
        {
            "hgt": hgt,
            "wgt": wgt,
            "bmi": wgt / (hgt / 100) ** 2,
            "stage": rng.choice(["low", "mid", "high"], n_rows, p=[0.3, 0.4, 0.3]),
            "region": rng.choice(["north", "south", "east"], n_rows),
            "smoker": rng.choice(["true", "false"], n_rows),
            "children": pd.array(rng.poisson(1.5, n_rows), dtype="Int64"),
            "visit": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, n_rows), "D"),
        }
    )
    for column in ("wgt", "stage", "children", "smoker"):
        people.loc[rng.choice(n_rows, 6, replace=False), column] = None
    people.loc[people["wgt"].isna(), "bmi"] = None
    return people


def write_people(folder: Path, people: pd.DataFrame | None = None) -> Path:
    path = folder / "people.csv"
    (make_people() if people is None else people).to_csv(path, index=False)
    return path


def gate_item(metric: str, column: str = "value", **bounds: float) -> dict[str, Any]:
    return {
        "type": "expect_column_values_to_be_between",
        "kwargs": {
            "column": column,
            "row_condition": f'metric == "{metric}"',
            "condition_parser": "pandas",
            **bounds,
        },
        "severity": "critical",
        "description": f"{metric} is within bounds",
        "meta": {"metric": metric},
    }


def write_gate(folder: Path, *items: dict[str, Any]) -> Path:
    """Write a policy that a set of ninety rows can meet."""
    path = folder / "gate.json"
    chosen = items or (gate_item("unique_exact_match", max_value=0.01),)
    path.write_text(json.dumps({"name": "gate", "expectations": list(chosen)}))
    return path


def people_content(**sections: Any) -> dict[str, Any]:
    """Return the specification as it would stand in YAML; sections replace or extend the defaults."""
    content: dict[str, Any] = {
        "dataset": {
            "name": "people",
            "title": "People",
            "source": {"csv": "people.csv"},
            "public": True,
        },
        "variables": {
            "stage": {"kind": "ordinal", "categories": ["low", "mid", "high"]},
            "hgt": {"decimals": 4},
        },
        "imputation": {
            "maxit": 2,
            "method": {"bmi": BMI},
            "predictor_matrix": {"hgt": {"bmi": 0}, "wgt": {"bmi": 0}},
        },
        "synthesis": {
            "m": 3,
            # Drawn from a distribution, so that no height of a real person can come out.
            "method_by_variable": {"bmi": BMI, "hgt": "norm"},
            "visit_sequence": ["region", "hgt", "wgt", "stage", "smoker", "children", "visit"],
            "options": {"cart": {"minbucket": 5}},
        },
        "analysis": [
            {"model": "ols", "formula": "wgt ~ hgt + region"},
            {"model": "mean", "variables": ["hgt", "children"]},
        ],
        "pooling": {"rule": "auto"},
        "disclosure": {"keys": ["hgt", "region"], "targets": ["stage"]},
        "policy": {"suite": "gate.json"},
        "publish": {"to": "releases", "seed": 11},
    }
    for name, value in sections.items():
        if isinstance(value, dict) and isinstance(content.get(name), dict):
            content[name] = content[name] | value
        else:
            content[name] = value
    return content


def people_spec(folder: Path, **sections: Any) -> ReleaseSpec:
    """Build the specification for a folder that holds people.csv and gate.json."""
    return build_spec(people_content(**sections), base=folder)


def make_site(folder: Path, people: pd.DataFrame | None = None) -> Path:
    """Put data and policy into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_people(folder, people)
    write_gate(folder)
    return folder
