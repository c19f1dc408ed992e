"""Matrices drawn as coloured cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize

from synth_tasks.release.pictures._canvas import INK, tidy


def draw_heat_map(
    axes: Axes,
    matrix: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    colours: Colormap,
    norm: Normalize,
) -> None:
    """Draw a matrix with the first row on top; cells that are not finite stay empty."""
    axes.pcolormesh(
        np.ma.masked_invalid(matrix), cmap=colours, norm=norm, edgecolors="white", linewidth=1
    )
    axes.set_aspect("equal", anchor="NW")
    axes.invert_yaxis()
    axes.set_xticks(np.arange(len(columns)) + 0.5, [tidy(n, 14) for n in columns], rotation=90)
    axes.set_yticks(np.arange(len(rows)) + 0.5, [tidy(n, 14) for n in rows])
    axes.tick_params(length=0, labelcolor=INK)
    axes.spines[:].set_visible(False)


def write_cells(axes: Axes, matrix: np.ndarray, text: Callable[[float], str]) -> None:
    """Write values into the cells of the heat map, in the ink that can be read on the colour."""
    mesh = axes.collections[0]
    for (i, j), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            brightness = np.dot(mesh.cmap(mesh.norm(value))[:3], (0.299, 0.587, 0.114))
            axes.text(
                j + 0.5, i + 0.5, text(value), ha="center", va="center", fontsize=7,
                color=INK if brightness > 0.45 else "white",
            )  # fmt: skip
