"""Risk against utility of settings."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from synth_tasks.release.pictures._canvas import (
    BLUE,
    INK,
    MUTED,
    REAL,
    VERMILLION,
    add_legend,
    add_note,
    drawing,
    finish,
    new_figure,
    tidy,
)

# Below this share the axis of the risk is linear, above it logarithmic.
LINEAR = 0.001


@drawing()
def frontier(table: pd.DataFrame) -> Figure:
    """Draw the R-U map: what settings give away against what they keep.

    Parameters
    ----------
    table : DataFrame
        Columns number, setting, risk (share of rows), interval_overlap, valid, efficient and
        recommended; see `synth_tasks.study.frontier.recommend`.

    Returns
    -------
    Figure

    References
    ----------
    Duncan, Keller-McNulty & Stokes (2001). Disclosure risk vs. data utility: the R-U confidentiality
    map. Technical report LA-UR-01-6428, Los Alamos National Laboratory.
    """
    figure = new_figure(4.2)
    axes = figure.subplots()
    on_line = table[table["efficient"]].sort_values(["risk", "interval_overlap"])
    axes.plot(on_line["risk"], on_line["interval_overlap"], color=REAL, lw=1.5, zorder=1)
    for row in table.itertuples():
        colour = VERMILLION if row.recommended else BLUE if row.valid else MUTED
        fill = colour if row.valid else "white"
        mark, size = ("*", 15) if row.recommended else ("o", 7)
        axes.plot(
            row.risk, row.interval_overlap, mark, ms=size, color=fill, mec=colour, mew=1.3, zorder=3
        )
        axes.annotate(
            str(row.number), (row.risk, row.interval_overlap), (6, 4),
            textcoords="offset points", fontsize=7, color=INK,
        )  # fmt: skip
    axes.set_xscale("symlog", linthresh=LINEAR)
    axes.set_xlim(-LINEAR / 4, max(float(table["risk"].max()) * 2, 2 * LINEAR))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:g} %"))
    overlaps = table["interval_overlap"].to_numpy(dtype=float)
    axes.set_ylim(min(np.floor(10 * overlaps.min()) / 10, 0.7), 1.0)
    axes.set_xlabel("risk: rows that copy a real person on the key variables")
    axes.set_ylabel("utility: mean overlap of intervals")
    add_legend(
        figure,
        [
            Line2D([], [], marker="*", ls="", ms=12, color=VERMILLION, label="recommended"),
            Line2D([], [], marker="o", ls="", ms=7, color=BLUE, label="valid"),
            Line2D([], [], marker="o", ls="", ms=7, color="white", mec=MUTED, label="not valid"),
            Line2D([], [], color=REAL, lw=1.5, label="no other has less risk and more utility"),
        ],
    )
    chosen = table[table["recommended"]]
    if len(chosen):
        row = chosen.iloc[0]
        add_note(figure, f"recommended: {row['number']}, {tidy(row['setting'], 80)}")
    return finish(figure, "Risk and utility")
