"""Pictures of a result: the course of the chains, and what was filled in beside what was observed.

Figures are made without pyplot and matplotlib is loaded with the first one. Grey is observed, blue is
imputed or synthetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter1d

from synth_tasks.data import Kind, Schema, Variable, decode, encode
from synth_tasks.errors import PlanError

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 9.0
INK = "#1F2933"
MUTED = "#66717D"
RULE = "#C9D0D6"
GREY = "#C3C9CF"
DARK_GREY = "#8A949E"
# From the palette of Okabe & Ito (2008), which people with colour blindness can tell apart.
BLUE = "#0072B2"
CHAIN_COLOURS = (BLUE, "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)

MAX_POINTS = 500
MAX_BARS = 12
MAX_LABEL = 20
LEAST_FOR_DENSITY = 5
MAX_TITLE = 28
GRID_CELLS = 200

# Silverman's rule is meant for one mode and would hide a second one.
UNDERSMOOTHING = 0.75


@dataclass(frozen=True)
class _Column:
    """What is drawn of one variable, without missing values.

    Parameters
    ----------
    variable : Variable
        The variable.
    observed : ndarray of shape (n_observed,), optional
        Its observed values.
    sets : list of m ndarray of shape (n_filled,)
        Its imputed or synthetic values in each set.
    """

    variable: Variable
    observed: np.ndarray | None
    sets: list[np.ndarray]

    @property
    def everything(self) -> np.ndarray:
        """All values, observed or not."""
        return np.concatenate(self.sets if self.observed is None else [self.observed, *self.sets])


def trace_plot(means: np.ndarray, variances: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw mean and standard deviation of the imputed values against the iteration.

    Chains that have converged cross each other freely and show no trend.

    Parameters
    ----------
    means, variances : ndarray of shape (maxit, n_variables, m)
        Mean and variance of the imputed values of each chain after each iteration; category codes
        count from 0.
    names : sequence of str
        The variables on the second axis.

    Returns
    -------
    Figure
        A row for each variable with two axes, in which each chain is a line.
    """
    if means.size == 0:
        raise PlanError("plot_trace: there are no iterations to draw; impute with maxit >= 1")
    maxit, _, m = means.shape
    figure = _new_figure(0.6 + 1.25 * len(names))
    grid = figure.subplots(len(names), 2, squeeze=False, sharex=True)
    iterations = np.arange(1, maxit + 1)
    for i, name in enumerate(names):
        for axes, values in zip(grid[i], (means[:, i], np.sqrt(variances[:, i])), strict=True):
            for chain in range(m):
                axes.plot(
                    iterations,
                    values[:, chain],
                    color=CHAIN_COLOURS[chain % len(CHAIN_COLOURS)],
                    lw=1.0,
                    alpha=0.85,
                    marker="o" if maxit <= 10 else "",
                    ms=2.5,
                    label=f"chain {chain + 1}",
                )
            _tidy_axes(axes)
            axes.locator_params(axis="y", nbins=4)
        _set_title(grid[i, 0], f"{_short(name, MAX_TITLE)}: mean")
        _set_title(grid[i, 1], "standard deviation")
    for axes in grid[-1]:
        axes.set_xlabel("iteration", color=MUTED, fontsize=8)
        axes.set_xlim(1 - 0.02 * maxit, maxit + 0.02 * maxit)
        axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    if m <= len(CHAIN_COLOURS):
        handles, labels = grid[0, 0].get_legend_handles_labels()
        _add_legend(figure, handles, labels)
    return figure


def density_plot(
    schema: Schema,
    sets: Sequence[np.ndarray],
    original: np.ndarray | None = None,
    variables: Sequence[str] | None = None,
    data: pd.DataFrame | None = None,
) -> Figure:
    """Compare the distributions of observed and of imputed or synthetic values.

    Numbers and date-times are drawn as densities (Gaussian kernel, reflected at the ends of the
    range), categories as shares. Of fewer than 5 imputed values each is a tick on the axis.

    Parameters
    ----------
    schema : Schema
        The variables of the columns.
    sets : sequence of m ndarray of shape (k, n_variables)
        Completed or synthetic data, encoded.
    original : ndarray of shape (n_rows, n_variables), optional
        The incomplete data of an imputation, encoded: its observed cells are compared with the cells
        that were filled in. Without it the columns of `sets` are drawn whole.
    variables : sequence of str, optional
        What to draw; all variables, or those with imputed cells.
    data : DataFrame, optional
        Real data to compare a synthesis with.

    Returns
    -------
    Figure
        One axes a variable.
    """
    columns = _columns("plot_density", schema, sets, original, variables, data)
    figure, panels = _new_panels(len(columns), per_row=3, height=1.75)
    for axes, column in zip(panels, columns, strict=True):
        if column.variable.is_categorical:
            _draw_shares(axes, column)
        else:
            _draw_densities(axes, column)
        _tidy_axes(axes)
        _add_titles(axes, column, imputed=original is not None)
        if not column.variable.is_categorical:
            axes.yaxis.set_visible(False)
            axes.spines["left"].set_visible(False)
    _add_key(figure, columns, imputed=original is not None)
    return figure


def strip_plot(
    schema: Schema,
    sets: Sequence[np.ndarray],
    original: np.ndarray | None = None,
    variables: Sequence[str] | None = None,
    data: pd.DataFrame | None = None,
) -> Figure:
    """Draw single values against the number of their set; the observed ones are set 0.

    Points are spread sideways so that they do not hide each other, categories upwards too. Of more
    than 500 values in a strip 500 are drawn, evenly spaced in their order, and the figure says so.

    Parameters
    ----------
    schema, sets, original, variables, data
        As in `density_plot`.

    Returns
    -------
    Figure
        One axes a variable.
    """
    columns = _columns("plot_strip", schema, sets, original, variables, data)
    per_row = 3 if len(sets) <= 5 else 2 if len(sets) <= 15 else 1
    figure, panels = _new_panels(len(columns), per_row, height=2.1)
    for axes, column in zip(panels, columns, strict=True):
        if column.observed is not None:
            _draw_strip(axes, 0, column.observed, column.variable)
        for number, values in enumerate(column.sets, start=1):
            _draw_strip(axes, number, values, column.variable)
        _tidy_axes(axes)
        _add_titles(axes, column, imputed=original is not None)
        axes.set_xlim(-0.5 if column.observed is not None else 0.5, len(sets) + 0.5)
        axes.locator_params(axis="x", integer=True, nbins=12, min_n_ticks=1)
        axes.tick_params(axis="x", length=0)
        _label_values(axes, "y", column)
    _add_key(figure, columns, imputed=original is not None, points=True)
    largest = max(len(v) for c in columns for v in (c.observed, *c.sets) if v is not None)
    note = "set" if columns[0].observed is None else "set (0: observed)"
    if largest > MAX_POINTS:
        note += f"; of more than {MAX_POINTS} values {MAX_POINTS} are drawn, evenly spaced in order"
    figure.supxlabel(note, fontsize=8, color=MUTED)
    return figure


# --- what is drawn --------------------------------------------------------------------------------


def _columns(
    caller: str,
    schema: Schema,
    sets: Sequence[np.ndarray],
    original: np.ndarray | None,
    variables: Sequence[str] | None,
    data: pd.DataFrame | None,
) -> list[_Column]:
    if original is not None and data is not None:
        raise PlanError(f"{caller}: an imputation has its own data; leave out data")
    filled = None if original is None else np.isnan(original) & ~np.isnan(sets[0])
    names = schema.names if variables is None else list(variables)
    if variables is None and filled is not None:
        names = [name for name in names if filled[:, schema.position(name)].any()]
    if not names:
        raise PlanError(f"{caller}: there is no variable to draw; name some with imputed cells")
    for name in names:
        if name not in schema:
            raise PlanError(f"{caller}: unknown variable '{name}'; use {', '.join(schema.names)}")
        if filled is not None and not filled[:, schema.position(name)].any():
            raise PlanError(f"{caller}: '{name}' has no imputed cell; leave it out")
    chosen = Schema(tuple(schema[name] for name in names))
    real = None if data is None else encode(data, chosen)
    columns = []
    for i, variable in enumerate(chosen):
        j = schema.position(variable.name)
        observed = real[:, i] if real is not None else None
        if original is not None:
            observed = original[:, j]
        cells = slice(None) if filled is None else filled[:, j]
        columns.append(
            _Column(
                variable,
                None if observed is None else _without_missing(observed),
                [_without_missing(matrix[cells, j]) for matrix in sets],
            )
        )
    return columns


def _without_missing(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]


# --- densities and shares -------------------------------------------------------------------------


def _draw_densities(axes: Axes, column: _Column) -> None:
    values = column.everything
    if len(values) == 0:
        return
    low, high = values.min(), values.max()
    margin = 0.5 if low == high else 0.0
    edges = np.linspace(low - margin, high + margin, GRID_CELLS + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    if column.observed is not None:
        density = _density(column.observed, edges, _bandwidth([column.observed]))
        axes.fill_between(centres, density, color=GREY, lw=0)
    bandwidth = _bandwidth(column.sets)
    alpha = 0.8 if len(column.sets) <= 10 else 0.4
    for filled in column.sets:
        if len(filled) < LEAST_FOR_DENSITY:
            axes.plot(
                filled,
                [0.06] * len(filled),
                "|",
                color=BLUE,
                ms=8,
                mew=1.0,
                transform=axes.get_xaxis_transform(),
            )
        else:
            density = _density(filled, edges, bandwidth)
            axes.plot(centres, density, color=BLUE, lw=0.9, alpha=alpha)
    axes.set_ylim(0, None)
    axes.margins(x=0.01)
    _label_values(axes, "x", column)


def _density(values: np.ndarray, edges: np.ndarray, bandwidth: float) -> np.ndarray:
    """Estimate a density in equally wide cells, reflected at both ends; NaN without values."""
    counts, _ = np.histogram(values, edges)
    step = edges[1] - edges[0]
    smooth = gaussian_filter1d(counts.astype(float), max(bandwidth / step, 0.5), mode="reflect")
    return smooth / (len(values) * step) if len(values) else np.full(len(counts), np.nan)


def _bandwidth(sets: Sequence[np.ndarray]) -> float:
    """Return the bandwidth for one set by Silverman's rule, from the spread in all of them."""
    values = np.concatenate(sets)
    if len(values) == 0:
        return 0.0
    deviation = float(values.std())
    quartiles = np.quantile(values, [0.25, 0.75])
    spread = min(deviation, float(np.ptp(quartiles)) / 1.34) or deviation
    return UNDERSMOOTHING * 0.9 * spread * (len(values) / len(sets)) ** -0.2


def _draw_shares(axes: Axes, column: _Column) -> None:
    """Draw the share of each category: a bar for the observed, a point for each set."""
    shares = np.array([_shares(v, column.variable) for v in column.sets])
    y = np.arange(len(column.variable.categories))
    if column.observed is not None:
        axes.barh(y, _shares(column.observed, column.variable), height=0.78, color=GREY)
    axes.hlines(y, shares.min(axis=0), shares.max(axis=0), color=BLUE, lw=1.0)
    for row in shares:
        axes.plot(row, y, "o", color=BLUE, ms=3.2, mew=0, alpha=0.75)
    _label_values(axes, "y", column)
    axes.set_xlim(0, None)
    axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter("{x:g} %")


def _shares(codes: np.ndarray, variable: Variable) -> np.ndarray:
    counts = np.bincount(codes.astype(int), minlength=len(variable.categories))
    return 100 * counts / max(len(codes), 1)


# --- strips ---------------------------------------------------------------------------------------


def _draw_strip(axes: Axes, number: int, values: np.ndarray, variable: Variable) -> None:
    values = np.sort(values)
    if len(values) > MAX_POINTS:
        values = values[np.rint(np.linspace(0, len(values) - 1, MAX_POINTS)).astype(int)]
    spread = np.random.default_rng(number).uniform(-0.3, 0.3, (2, len(values)))
    axes.plot(
        number + spread[0],
        values + spread[1] if variable.is_categorical else values,
        "o",
        color=DARK_GREY if number == 0 else BLUE,
        ms=2.2,
        mew=0,
        alpha=0.55,
    )


# --- axes and figures -----------------------------------------------------------------------------


def _new_figure(height: float, width: float = WIDTH) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def _new_panels(count: int, per_row: int, height: float) -> tuple[Figure, list[Axes]]:
    """Make a grid of panels; a single row of fewer panels is narrower, but never under half."""
    columns = min(count, per_row)
    rows = -(-count // columns)
    figure = _new_figure(0.6 + height * rows, WIDTH * max(columns / per_row, 0.5))
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.remove()
    return figure, list(grid[:count])


def _tidy_axes(axes: Axes) -> None:
    axes.set_facecolor("white")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.tick_params(color=RULE, labelcolor=INK, labelsize=7.5)


def _set_title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=9, fontweight="bold", color=INK)


def _add_titles(axes: Axes, column: _Column, *, imputed: bool) -> None:
    _set_title(axes, _short(column.variable.name, MAX_TITLE))
    if imputed:
        count = f"{len(column.sets[0])} imputed"
        axes.set_title(count, loc="right", fontsize=7.5, color=MUTED)


def _label_values(axes: Axes, axis: Literal["x", "y"], column: _Column) -> None:
    """Label an axis with values as the user knows them: category labels, dates, or numbers."""
    variable = column.variable
    if variable.is_categorical:
        labels = [_short(str(c), MAX_LABEL) for c in variable.categories]
        every = -(-len(labels) // MAX_BARS)
        axes.set_yticks(range(0, len(labels), every), labels[::every])
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
    elif variable.kind is Kind.DATETIME and len(column.everything):
        low, high = column.everything.min(), column.everything.max()
        ticks = low + (high - low) * np.array([0.1, 0.5, 0.9])
        times = decode(ticks[:, None], Schema((variable,)))[variable.name]
        form = "%Y-%m-%d" if times.iloc[-1] - times.iloc[0] >= pd.Timedelta(days=2) else "%H:%M\n%F"
        set_ticks = axes.set_xticks if axis == "x" else axes.set_yticks
        set_ticks(ticks, times.dt.strftime(form).tolist())
    else:
        axes.locator_params(axis=axis, nbins=5)


def _add_key(
    figure: Figure, columns: Sequence[_Column], *, imputed: bool, points: bool = False
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    m = len(columns[0].sets)
    filled = Line2D([], [], color=BLUE, lw=0.0 if points else 1.0, marker="o", ms=3.2, mew=0)
    keys: dict[str, Line2D | Patch] = {}
    if columns[0].observed is not None:
        dot = Line2D([], [], color=DARK_GREY, lw=0.0, marker="o", ms=3.2, mew=0)
        keys["observed"] = dot if points else Patch(color=GREY)
    keys[f"{'imputed' if imputed else 'synthetic'}, {m} set{'s' if m > 1 else ''}"] = filled
    _add_legend(figure, list(keys.values()), list(keys))


def _add_legend(figure: Figure, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    figure.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=len(labels),
        frameon=False,
        fontsize=8,
        labelcolor=INK,
    )


def _short(text: str, longest: int) -> str:
    """Return text on one line that is no formula to matplotlib, cut if need be."""
    line = " ".join(text.split())
    if len(line) > longest:
        line = line[: longest - 1].rstrip() + "…"
    return line.replace("$", r"\$")
