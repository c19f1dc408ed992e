"""Correlations of ordered variables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from synth_tasks.data import Kind, Schema, encode
from synth_tasks.release.pictures._canvas import (
    BLUE,
    MAX_HEAT_VARIABLES,
    MINUS,
    VERMILLION,
    add_note,
    describe_cut,
    drawing,
    finish,
    new_figure,
    say,
)
from synth_tasks.release.pictures._heat_map import draw_heat_map, write_cells
from synth_tasks.utility.associations import correlate

# So many variables fit into a third of the page; the maps of more take half of it each.
MAX_NARROW = 12

DIVERGING = LinearSegmentedColormap.from_list("blue_vermillion", [BLUE, "#F7F7F7", VERMILLION], 41)


@drawing()
def correlations(
    schema: Schema, sets: Sequence[pd.DataFrame], real: pd.DataFrame | None = None
) -> Figure:
    """Draw the correlations of all variables that are not nominal.

    Correlations of Pearson over pairwise complete rows, on values and on category codes, as in
    `synth_tasks.utility.associations`; a variable that does not vary has correlation 0.

    Parameters
    ----------
    schema : Schema
        The variables; the first `MAX_HEAT_VARIABLES` with an order are drawn.
    sets : sequence of m DataFrame
        Synthetic sets; correlations are averaged over them.
    real : DataFrame, optional
        The real data.

    Returns
    -------
    Figure
        One heat map; with real data three: real, synthetic and their difference.
    """
    ordered = [v for v in schema if v.kind not in (Kind.NOMINAL, Kind.STRING)]
    shown = Schema(tuple(ordered[:MAX_HEAT_VARIABLES]))
    if len(shown) < 2:
        return say("Correlations", "There are no two variables with an order.")
    synthetic = np.mean([correlate(encode(s, shown))[0] for s in sets], axis=0)
    if real is None:
        figure = _draw_correlation_maps([("", synthetic, 1.0)], shown.names)
    else:
        observed = correlate(encode(real, shown))[0]
        difference = synthetic - observed
        limit = max(0.1, float(np.ceil(10 * np.abs(difference).max()) / 10))
        maps = [("real", observed, 1.0), ("synthetic", synthetic, 1.0)]
        maps += [(f"synthetic {MINUS} real", difference, limit)]
        figure = _draw_correlation_maps(maps, shown.names)
    add_note(figure, describe_cut(len(shown), len(ordered), "variables"))
    return finish(figure, "Correlations")


def _draw_correlation_maps(
    maps: Sequence[tuple[str, np.ndarray, float]], names: list[str]
) -> Figure:
    p, single = len(names), len(maps) == 1
    columns = 1 if single else 3 if p <= MAX_NARROW else 2
    largest = {1: 5.6, 2: 7.2, 3: 2.6}[columns]
    figure = new_figure(0.9 + min(largest, 0.45 * (p - 1)))
    panels = figure.subplots(-(-len(maps) // columns), columns, squeeze=False).ravel()
    for axes in panels[len(maps) :]:
        axes.remove()
    for i, (axes, (title, matrix, limit)) in enumerate(zip(panels, maps, strict=False)):
        lower = np.where(np.tri(p, k=-1, dtype=bool), matrix, np.nan)[1:, :-1]
        draw_heat_map(axes, lower, names[1:], names[:-1], DIVERGING, Normalize(-limit, limit))
        if p <= (14 if single else 9):
            write_cells(axes, lower, _correlation_text)
        if p > 4:
            _add_scale(axes, limit)
        axes.set_title(title)
        if i % columns:
            axes.set_yticks([])
    return figure


def _add_scale(axes: Axes, limit: float) -> None:
    """Put the scale of colours into the empty corner."""
    inset = axes.inset_axes((0.58, 0.9, 0.36, 0.03))
    bar = axes.figure.colorbar(axes.collections[0], cax=inset, orientation="horizontal")
    bar.set_ticks([-limit, 0, limit], labels=[f"{MINUS}{limit:g}", "0", f"{limit:g}"])
    bar.outline.set_visible(False)
    if bar.solids is not None:
        bar.solids.set_edgecolor("face")  # no seams between the steps


def _correlation_text(value: float) -> str:
    text = f"{abs(value):.2f}"
    sign = MINUS if value < 0 and float(text) > 0 else ""
    return sign + (text.removeprefix("0") if text != "0.00" else "0")
