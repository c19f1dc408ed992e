"""A table of ratios and a plot from the figures of pytest-benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd

matplotlib.use("Agg")
from matplotlib import pyplot as plt

OURS = "prefect-synth"
CURVES = {"rows": "n_rows", "columns": "n_columns"}


def read_figures(benchmarks: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a row for each benchmark: group, who, seconds (median), peak_gb, n_rows, n_columns."""
    rows = [
        {"group": b["group"], "seconds": b["stats"]["median"]} | b["extra_info"] for b in benchmarks
    ]
    return pd.DataFrame(rows, columns=["group", "who", "seconds", "peak_gb", "n_rows", "n_columns"])


def ratio_table(figures: pd.DataFrame) -> str:
    """Return a Markdown table: what was measured, who, how long, and how many times as long as ours."""
    lines = ["| what | who | time | times ours |", "|---|---|---|---|"]
    for group, of_group in figures[~figures["group"].isin(list(CURVES))].groupby(
        "group", sort=False
    ):
        ours = float(of_group.loc[of_group["who"] == OURS, "seconds"].iloc[0])
        for row in of_group.itertuples():
            ratio = "" if row.who == OURS else f"{row.seconds / ours:.3g}"
            memory = "" if pd.isna(row.peak_gb) else f", peak {row.peak_gb:.1f} GB"
            lines.append(f"| {group} | {row.who} | {_time(row.seconds)}{memory} | {ratio} |")
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def plot_cost(figures: pd.DataFrame, file: Path) -> None:
    """Draw the cost of one synthetic set against the number of rows and of columns."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    titles = {"rows": "20 columns of numbers", "columns": "10,000 rows of numbers"}
    for axis, (group, unit) in zip(axes, CURVES.items(), strict=True):
        for who, colour in ((OURS, "#1f5fa8"), ("scikit-learn", "#999999")):
            curve = figures[(figures["group"] == group) & (figures["who"] == who)].sort_values(unit)
            axis.loglog(curve[unit], curve["seconds"], "o-", color=colour, label=who)
        ticks = sorted(figures.loc[figures["group"] == group, unit].unique())
        axis.set_xticks(ticks, [f"{int(tick):,}" for tick in ticks])
        axis.minorticks_off()
        axis.set(xlabel=group, title=titles[group])
        axis.grid(which="major", color="#dddddd")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("seconds, one core, m = 1")
    axes[0].legend(frameon=False)
    figure.savefig(file, dpi=110)
    plt.close(figure)
