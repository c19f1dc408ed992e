"""The report of a comparison of settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from synth_tasks.release import pictures
from synth_tasks.release.report._page import place_picture, render_template
from synth_tasks.release.report._summary import Light

# Column of the table: its heading, and whether it is a share shown in per cent.
COLUMNS = {
    "copied_keys": ("copies on keys", True),
    "unique_exact_match": ("copies in all", True),
    "repU": ("repU", False),
    "DiSCO": ("DiSCO", False),
    "spmse_pair_median": ("S_pMSE", False),
    "spmse_pair_max": ("largest", False),
    "coverage_loss": ("loss of coverage", False),
    "worst_coverage_loss": ("worst", False),
    "mean_std_bias": ("bias", False),
    "interval_overlap": ("overlap", False),
}


@dataclass(frozen=True, eq=False)
class FrontierContent:
    """What the report of a comparison tells.

    Parameters
    ----------
    name, title : str
        The data set.
    table : DataFrame
        See `synth_tasks.study.frontier.recommend`, with the columns number and setting.
    replicates : int
        Samples by which validity was judged.
    tolerance : float
        Loss of coverage that was borne.
    private : bool
        Whether the data are confidential.
    """

    name: str
    title: str
    table: pd.DataFrame
    replicates: int
    tolerance: float
    private: bool


def render_frontier(content: FrontierContent) -> str:
    """Write the report: one HTML file; the same content gives the same text."""
    columns = {key: item for key, item in COLUMNS.items() if key in content.table}
    return render_template(
        "frontier.html.j2",
        name=content.name,
        title=content.title or content.name,
        private=content.private,
        replicates=content.replicates,
        tolerance=f"{content.tolerance:g}",
        light=judge_frontier(content.table),
        picture=place_picture("frontier", "The map", "", pictures.frontier(content.table)),
        columns=[heading for heading, _ in columns.values()],
        rows=[_write_row(row, columns) for row in content.table.to_dict("records")],
    )


def judge_frontier(table: pd.DataFrame) -> Light:
    """Say which setting to choose, and why."""
    chosen = table[table["recommended"]]
    if not len(chosen):
        return Light(
            "bad",
            "Choice",
            "None: no setting keeps the coverage of the intervals. Try smaller leaves, or another "
            "visit sequence.",
        )
    row = chosen.iloc[0]
    return Light(
        "good",
        "Choice",
        f"Setting {row['number']} ({row['setting']}): {100 * row['risk']:.2g} % of its rows copy a "
        f"person on the key variables, and intervals cover {row['coverage_loss']:.3f} less often than "
        "those from real samples.",
    )


def _write_row(row: Mapping[Any, Any], columns: Mapping[str, tuple[str, bool]]) -> dict[str, Any]:
    verdict = "valid" if row["valid"] else "not valid"
    return {
        "number": row["number"],
        "setting": row["setting"],
        "verdict": "★ recommended" if row["recommended"] else verdict,
        "cells": [_write_cell(row[key], as_share) for key, (_, as_share) in columns.items()],
    }


def _write_cell(value: float, as_share: bool) -> str:
    if as_share:
        return f"{100 * value:.2f} %"
    return pictures.format_fixed(value, 3 if abs(value) < 1 else 2)
