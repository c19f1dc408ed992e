"""Disclosure against a control."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from synth_tasks.release.pictures._canvas import (
    BLUE,
    MINUS,
    MUTED,
    REAL,
    VERMILLION,
    add_legend,
    drawing,
    finish,
    new_figure,
    say,
    tidy,
)
from synth_tasks.release.pictures._wording import describe_metric, metric_order

PER_CENT_METRICS = 100.0


@drawing()
def controlled(ledger: pd.DataFrame) -> Figure:
    """Draw what a synthesis gives away of records it learnt from, beside that of others.

    Parameters
    ----------
    ledger : DataFrame
        Rows of the family ``"disclosure"`` about all sets that have a control, or are about
        membership, whose control is chance; of metrics with targets the largest.

    Returns
    -------
    Figure
        Left the figure and its control, right the excess with its 95 % interval.
    """
    rows = _choose(ledger)
    if not len(rows):
        return say("Disclosure with a control", "Disclosure was measured without a control.")
    figure = new_figure(0.9 + 0.34 * len(rows))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.0, 1.0])
    _draw_levels(left, rows)
    _draw_excess(right, rows)
    add_legend(
        figure,
        [
            Patch(color=BLUE, label="records that were learnt from"),
            Patch(color=REAL, label="records kept apart, or chance"),
            Line2D([], [], color=BLUE, marker="o", ms=4, lw=1.4, label="excess, 95 % interval"),
            Line2D([], [], color=VERMILLION, marker="o", ms=4, lw=1.4, label="surely above 0"),
        ],
    )
    return finish(figure, "Disclosure with a control")


def _choose(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return one row a metric: its excess, both levels and the interval, in per cent."""
    rows = ledger[(ledger["family"] == "disclosure") & (ledger["set"] == 0)]
    membership = rows["metric"].str.startswith("membership_")
    rows = rows[rows["metric"].str.endswith("_excess") & rows["control"].notna() | membership]
    rows = rows.sort_values("value", kind="stable").drop_duplicates("metric", keep="last")
    is_share = [describe_metric(name).unit != "percent" for name in rows["metric"]]
    factor = np.where(is_share, PER_CENT_METRICS, 1.0)
    membership = rows["metric"].str.startswith("membership_")
    base = rows["control"].where(~membership, rows["null"])
    shift = rows["null"].where(membership, 0.0)
    table = pd.DataFrame(
        {
            "metric": rows["metric"],
            "target": rows["target"].fillna(""),
            "control": factor * base,
            "excess": factor * (rows["value"] - shift),
            "lower": factor * (rows["lower"] - shift),
            "upper": factor * (rows["upper"] - shift),
        }
    )
    order = sorted(range(len(table)), key=lambda i: metric_order(table["metric"].iloc[i]))
    return table.iloc[order].reset_index(drop=True)


def _draw_levels(axes: Axes, rows: pd.DataFrame) -> None:
    y = np.arange(len(rows))
    axes.barh(y - 0.18, rows["control"] + rows["excess"], height=0.32, color=BLUE)
    axes.barh(y + 0.18, rows["control"], height=0.32, color=REAL)
    names = [describe_metric(name).title for name in rows["metric"]]
    targets = [f" ({target})" if target else "" for target in rows["target"]]
    labels = [tidy(n + t, 46) for n, t in zip(names, targets, strict=True)]
    axes.set_yticks(y, labels)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(left=0)
    axes.set_xlabel("level")
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:g} %"))


def _draw_excess(axes: Axes, rows: pd.DataFrame) -> None:
    y = np.arange(len(rows))
    colours = [VERMILLION if low > 0 else BLUE for low in rows["lower"]]
    axes.axvline(0, color=MUTED, lw=0.9)
    axes.hlines(y, rows["lower"], rows["upper"], colors=colours, lw=1.6)
    for height, value, colour in zip(y, rows["excess"], colours, strict=True):
        axes.plot(value, height, "o", color=colour, ms=4.5, mec="white", mew=0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("excess, in points of per cent")
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:g}".replace("-", MINUS)))
