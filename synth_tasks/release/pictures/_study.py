"""Pictures of a simulation study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synth_tasks.release.pictures._canvas import (
    BLUE,
    INK,
    MUTED,
    REAL,
    RULE,
    VERMILLION,
    add_legend,
    add_note,
    drawing,
    finish,
    new_figure,
    new_panels,
    say,
    tidy,
)

NOMINAL = 0.95
BAND = "#EAF2F8"
SOURCES = {"bootstrap": (INK, "s", -0.16), "synthetic": (BLUE, "o", 0.16)}
MAX_TERMS = 40
ZIP_LINES = 250
Z = 1.96


@drawing()
def coverage(table: pd.DataFrame) -> Figure:
    """Draw the coverage of 95 % intervals, one panel an analysis.

    Parameters
    ----------
    table : DataFrame
        Columns analysis, term, replicates, and for ``bootstrap`` and ``synthetic`` the coverage and its
        Monte Carlo standard error (``_coverage``, ``_coverage_se``).

    Returns
    -------
    Figure
        The band holds 95 % of what a coverage of .95 would show in so many replicates.
    """
    n = max(int(table["replicates"].max()), 1)
    half = Z * np.sqrt(NOMINAL * (1 - NOMINAL) / n)
    figure, panels = _panels_of_terms(table)
    for axes, part in panels:
        axes.axvspan(NOMINAL - half, min(NOMINAL + half, 1), color=BAND, lw=0)
        axes.axvline(NOMINAL, color=MUTED, lw=0.9)
        _draw_dots(axes, part, "coverage")
    lows = table[["bootstrap_coverage", "synthetic_coverage"]].min(axis=None)
    left = min(0.85, np.floor(20 * (lows if np.isfinite(lows) else 0.85)) / 20) - 0.01
    for axes, _ in panels:
        axes.set_xlim(left, 1.004)
    panels[-1][0].set_xlabel("share of 95 % intervals that hold the truth")
    return finish(figure, "Coverage")


@drawing()
def bias(table: pd.DataFrame) -> Figure:
    """Draw the bias in standard deviations of the estimate from a real sample.

    Parameters
    ----------
    table : DataFrame
        Columns analysis, term, replicates, and for both sources ``_bias`` and ``_bias_se``.

    Returns
    -------
    Figure
    """
    spread = table["bootstrap_bias_se"] * np.sqrt(table["replicates"])
    scaled = table.assign(
        **{
            f"{source}_{column}": table[f"{source}_{column}"] / spread
            for source in SOURCES
            for column in ("bias", "bias_se")
        }
    )
    figure, panels = _panels_of_terms(scaled)
    ends = [scaled[f"{s}_bias"].abs() + Z * scaled[f"{s}_bias_se"] for s in SOURCES]
    biases = max(end.max() for end in ends)
    reach = max(0.55, 1.1 * (biases if np.isfinite(biases) else 0))
    for axes, part in panels:
        axes.axvline(0, color=MUTED, lw=0.9)
        _draw_dots(axes, part, "bias")
        axes.set_xlim(-reach, reach)
    panels[-1][0].set_xlabel("bias, in standard deviations of the estimate from a real sample")
    return finish(figure, "Bias")


def _panels_of_terms(table: pd.DataFrame) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    parts = [part.head(MAX_TERMS) for _, part in table.groupby("analysis", sort=False)]
    rows = [len(part) for part in parts]
    figure = new_figure(0.7 * len(rows) + 0.2 * sum(rows) + 0.4)
    grid = figure.subplots(len(rows), 1, squeeze=False, height_ratios=[n + 0.8 for n in rows])
    for axes, part in zip(grid[:, 0], parts, strict=True):
        axes.set_yticks(range(len(part)), [tidy(term, 28) for term in part["term"]])
        axes.set_ylim(len(part) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=RULE, lw=0.4)
        axes.set_axisbelow(True)
        axes.set_title(tidy(part["analysis"].iloc[0], 90))
    add_legend(
        figure,
        [
            Line2D([], [], color=c, marker=m, ls="", ms=5, label=label)
            for (c, m, _), label in zip(
                SOURCES.values(), ("real sample", "synthetic sets, pooled"), strict=True
            )
        ],
    )
    return figure, list(zip(grid[:, 0], parts, strict=True))


def _draw_dots(axes: Axes, part: pd.DataFrame, figure_name: str) -> None:
    for source, (colour, mark, shift) in SOURCES.items():
        y = np.arange(len(part)) + shift
        value = part[f"{source}_{figure_name}"].to_numpy(dtype=float)
        half = Z * part[f"{source}_{figure_name}_se"].to_numpy(dtype=float)
        axes.hlines(y, value - half, value + half, color=colour, lw=1.2)
        axes.plot(value, y, mark, color=colour, ms=4.5, mec="white", mew=0.5)


@drawing()
def zip_plot(titles: Sequence[str], intervals: Sequence[np.ndarray]) -> Figure:
    """Draw the intervals of all replicates, those that are furthest from the truth on top.

    Parameters
    ----------
    titles : sequence of str
        Estimands.
    intervals : sequence of ndarray of shape (R, 2)
        Ends of the synthetic intervals of each, minus the truth.

    Returns
    -------
    Figure
        Where the colour changes is the coverage; intervals that miss lie on both sides if there is no
        bias.

    References
    ----------
    Morris, White & Crowther (2019). Using simulation studies to evaluate statistical methods.
    Statistics in Medicine 38, 2074-2102.
    """
    if not titles:
        return say("Intervals", "No estimand was estimated.")
    figure, panels = new_panels(len(titles), 3, 2.3)
    for axes, title, ends in zip(panels, titles, intervals, strict=True):
        _draw_zip(axes, ends[np.isfinite(ends).all(axis=1)])
        axes.set_title(tidy(title, 34))
    add_legend(
        figure,
        [
            Line2D([], [], color=REAL, lw=3, label="holds the truth"),
            Line2D([], [], color=VERMILLION, lw=3, label="misses it"),
        ],
    )
    add_note(
        figure, "height: rank of the distance from the truth in standard errors; 5 % should miss"
    )
    return finish(figure, "Intervals")


def _draw_zip(axes: Axes, ends: np.ndarray) -> None:
    if not len(ends):
        return
    centre, half = ends.mean(axis=1), np.maximum(np.diff(ends, axis=1)[:, 0] / 2, 1e-300)
    order = np.argsort(np.abs(centre) / half, kind="stable")
    step = max(1, len(ends) // ZIP_LINES)
    chosen = order[step // 2 :: step]
    heights = 100 * (np.arange(len(chosen)) + 0.5) / len(chosen)
    misses = (ends[chosen, 0] > 0) | (ends[chosen, 1] < 0)
    lines = [[(a, y), (b, y)] for (a, b), y in zip(ends[chosen], heights, strict=True)]
    colours = np.where(misses, VERMILLION, REAL)
    axes.add_collection(LineCollection(lines, colors=colours.tolist(), linewidths=0.7))
    axes.axvline(0, color=INK, lw=0.8)
    axes.axhline(100 * NOMINAL, color=MUTED, lw=0.6, ls=":")
    reach = np.quantile(np.abs(ends), 0.999)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(0, 100)
    axes.set_yticks([0, 50, 95], ["0", "50", "95 %"])
