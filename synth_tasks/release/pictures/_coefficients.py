"""Pooled estimates with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synth_tasks.release.pictures._canvas import (
    BLUE,
    INK,
    MINUS,
    MUTED,
    RULE,
    add_legend,
    drawing,
    finish,
    new_figure,
    say,
    tidy,
)
from synth_tasks.release.results import AnalysisResult

MAX_TERMS = 40

# Where the axis of the comparison ends; what lies beyond is drawn as an arrow.
REACH = 3.0
BAND = "#EAF2F8"
DASH = "\N{EN DASH}"


@drawing()
def coefficients(analyses: Sequence[AnalysisResult], with_real: bool) -> Figure:
    """Draw pooled estimates with 95 % intervals, one panel an analysis.

    Coefficients differ in size by orders of magnitude, so every row has a scale of its own. Without
    the real estimates, 0 is common to all rows and the end of the interval that is further from it
    is put at 1 or -1. With them, the pooled estimate is put at 0 and the half-width of its interval
    is the unit, so that the band from -1 to 1 is the interval of every row.

    Parameters
    ----------
    analyses : sequence of AnalysisResult
        At most `MAX_TERMS` terms of each are drawn.
    with_real : bool
        Whether to draw the estimates from the real data beside.

    Returns
    -------
    Figure
        One axes an analysis.
    """
    if not analyses:
        return say("Coefficients", "No analysis was pooled.")
    rows = [min(len(a.pooled), MAX_TERMS) for a in analyses]
    row_height = 0.36 if with_real else 0.24
    figure = new_figure(0.75 * len(rows) + row_height * sum(rows) + 0.3)
    panels = figure.subplots(len(rows), 1, squeeze=False, height_ratios=[n + 1.2 for n in rows])
    for axes, analysis in zip(panels[:, 0], analyses, strict=True):
        table = analysis.pooled.head(MAX_TERMS).reset_index(drop=True)
        _name_rows(axes, table["term"])
        if with_real:
            _draw_comparison(axes, table, analysis.real)
        else:
            _draw_intervals(axes, table)
        n_terms = len(analysis.pooled)
        more = f"  (first {MAX_TERMS} of {n_terms} terms)" if n_terms > MAX_TERMS else ""
        axes.set_title(tidy(analysis.label, 90) + more)
    if with_real:
        panels[-1, 0].set_xlabel(
            "distance from the pooled estimate, in half-widths of its 95 % interval"
        )
        add_legend(
            figure,
            [
                Line2D([], [], color=BLUE, marker="o", ms=4.5, label="synthetic, pooled"),
                Line2D([], [], color=INK, marker="s", ms=4, label="real"),
            ],
        )
    else:
        panels[-1, 0].set_xlabel("every row on its own scale, from the common 0")
    return finish(figure, "Coefficients")


def _draw_intervals(axes: Axes, table: pd.DataFrame) -> None:
    bounds = table[["conf_low", "conf_high", "estimate"]].to_numpy(dtype=float)
    bounds = np.where(np.isfinite(bounds), bounds, table[["estimate"]].to_numpy(dtype=float))
    reach = np.abs(bounds).max(axis=1)
    low, high, estimate = (bounds / np.where(reach > 0, reach, 1.0)[:, None]).T
    y = np.arange(len(table))
    axes.axvline(0, color=MUTED, lw=0.9)
    axes.hlines(y, low, high, color=BLUE, lw=2)
    axes.plot(estimate, y, "o", color=BLUE, ms=5, mec="white", mew=0.6)
    _write_beside(axes, y, table, MUTED)
    axes.set_xlim(min(low.min(), 0) - 0.05, max(high.max(), 0) + 0.05)
    axes.set_xticks([0], ["0"])


def _draw_comparison(axes: Axes, table: pd.DataFrame, real: pd.DataFrame) -> None:
    beside = real.set_index("term").reindex(table["term"]).reset_index()
    centre = table["estimate"].to_numpy(dtype=float)
    half = (table["conf_high"] - table["conf_low"]).to_numpy(dtype=float) / 2
    unit = np.where(np.isfinite(half) & (half > 0), half, 1.0)

    def standardise(frame: pd.DataFrame, column: str) -> np.ndarray:
        return np.clip((frame[column].to_numpy(dtype=float) - centre) / unit, -REACH, REACH)

    axes.axvspan(-1, 1, color=BAND, lw=0)
    axes.axvline(0, color=RULE, lw=0.8)
    for frame, shift, colour, mark in ((table, -0.18, BLUE, "o"), (beside, 0.18, INK, "s")):
        y = np.arange(len(table)) + shift
        low, high = standardise(frame, "conf_low"), standardise(frame, "conf_high")
        axes.hlines(y, low, high, colour, lw=1.8)
        for x, height in zip(standardise(frame, "estimate"), y, strict=True):
            sign = mark if abs(x) < REACH else "<" if x < 0 else ">"
            axes.plot(x, height, sign, color=colour, ms=4.8, mec="white", mew=0.6)
        _write_beside(axes, y, frame, colour)
    axes.set_xlim(-REACH - 0.1, REACH + 0.1)
    axes.xaxis.set_major_locator(ticker.MultipleLocator(1))


def _name_rows(axes: Axes, terms: pd.Series) -> None:
    axes.set_yticks(range(len(terms)), [tidy(term, 28) for term in terms])
    axes.set_ylim(len(terms) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _write_beside(axes: Axes, y: np.ndarray, table: pd.DataFrame, colour: str) -> None:
    """Write estimates and intervals as numbers to the right of their rows."""
    for height, row in zip(y, table.to_dict("records"), strict=True):
        axes.text(
            1.015, height, format_interval(row), transform=axes.get_yaxis_transform(),
            va="center", fontsize=7, color=colour,
        )  # fmt: skip


def format_interval(row: Mapping[Any, Any]) -> str:
    """Write an estimate and its interval with as many decimals as the interval deserves.

    Parameters
    ----------
    row : mapping
        With ``estimate``, ``conf_low`` and ``conf_high``.

    Returns
    -------
    str
        For example ``"0.070 [0.056, 0.084]"``.
    """
    digits = count_decimals(row["conf_low"], row["conf_high"])
    estimate, low, high = (
        format_fixed(row[c], digits) for c in ("estimate", "conf_low", "conf_high")
    )
    return f"{estimate} [{low}, {high}]"


def format_fixed(value: float, digits: int) -> str:
    """Write a number with fixed decimals and true minus signs; NaN is a dash."""
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return f"{value:.{digits}f}".replace("-", MINUS)


def count_decimals(low: float, high: float) -> int:
    """Return the decimals that show two digits of a standard error, judged by the interval."""
    width = (high - low) / 4
    if not np.isfinite(width) or width <= 0:
        return 3
    return int(np.clip(1 - np.floor(np.log10(width)), 0, 6))
