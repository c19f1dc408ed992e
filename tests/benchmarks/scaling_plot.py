"""A plot of cost against rows and against columns."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import pandas as pd

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.artist import Artist

LABELS = {
    "ours": "prefect-synth",
    "census": "prefect-synth, census",
    "capped": "prefect-synth, 20 predictors",
    "sklearn": "scikit-learn",
    "mice": "R, mice",
    "synthpop": "R, synthpop",
}
COLOURS = {
    "ours": "#1f5fa8",
    "census": "#0b8043",
    "capped": "#6fa8dc",
    "sklearn": "#888888",
    "mice": "#c26a2e",
    "synthpop": "#a04070",
}
TITLES = {"rows": "20 columns", "columns": "10,000 rows of numbers"}


def plot_scaling(figures: pd.DataFrame, file: Path) -> None:
    """Draw the processor time of one synthetic set.

    Parameters
    ----------
    figures : DataFrame
        Columns who, what, n_rows, n_columns, processor.
    file : Path
        PNG to write.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
    for axis, (what, title) in zip(axes, TITLES.items(), strict=True):
        unit = f"n_{what}"
        for who, label in LABELS.items():
            curve = figures[(figures["what"] == what) & (figures["who"] == who)].sort_values(unit)
            if len(curve):
                axis.loglog(curve[unit], curve["processor"], "o-", color=COLOURS[who], label=label)
        axis.set(xlabel=what, title=title)
        axis.grid(which="major", color="#dddddd")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("seconds of processor time, m = 1")
    known: dict[str, Artist] = {}
    for axis in axes:
        known |= {str(line.get_label()): line for line in axis.lines}
    axes[1].legend(known.values(), known.keys(), frameon=False, fontsize=8, loc="lower right")
    figure.savefig(file, dpi=110)
    plt.close(figure)
