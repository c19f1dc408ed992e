"""Distributions of single variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from synth_tasks.data import Kind, Schema, Variable, encode_column
from synth_tasks.release.pictures._canvas import (
    BLUE,
    MAX_PANELS,
    MUTED,
    PALE_BLUE,
    REAL,
    add_legend,
    add_note,
    count_things,
    describe_cut,
    drawing,
    finish,
    new_panels,
    tidy,
)

MAX_LINES = 20
MAX_BARS = 10

# Silverman's rule is meant for one mode and would hide a second one.
UNDERSMOOTHING = 0.75


@drawing()
def marginals(
    schema: Schema, sets: Sequence[pd.DataFrame], real: pd.DataFrame | None = None
) -> Figure:
    """Draw the distribution of every variable, one panel each.

    Numeric variables and date-times are drawn as densities (Gaussian kernel, one bandwidth for all
    sets, reflected at the ends of the range), categories and what has at most `MAX_BARS` values as
    bars.

    Parameters
    ----------
    schema : Schema
        The variables; the first `MAX_PANELS` are drawn.
    sets : sequence of m DataFrame
        Synthetic sets; the first `MAX_LINES` are drawn.
    real : DataFrame, optional
        The real data, drawn as grey areas.

    Returns
    -------
    Figure
        One axes a variable.
    """
    variables = [v for v in schema if v.kind is not Kind.STRING]
    shown = variables[:MAX_PANELS]
    figure, panels = new_panels(len(shown), 3 if len(shown) <= 12 else 4, height=1.65)
    for axes, variable in zip(panels, shown, strict=True):
        columns = [encode_column(s[variable.name], variable) for s in sets[:MAX_LINES]]
        real_column = None if real is None else encode_column(real[variable.name], variable)
        _draw_marginal(axes, variable, columns, real_column)
    add_legend(figure, _marginal_legend(shown, len(sets), real is not None))
    add_note(figure, describe_cut(len(shown), len(variables), "variables"))
    return finish(figure, "Distributions")


def _marginal_legend(shown: Sequence[Variable], m: int, with_real: bool) -> list[Line2D | Patch]:
    drawn = f"the first {MAX_LINES} of {m} sets" if m > MAX_LINES else count_things(m, "set")
    synthetic = Line2D([], [], color=BLUE, lw=1.1, marker="o", ms=3, label=f"synthetic, {drawn}")
    other = Patch(color=REAL, label="real") if with_real else None
    if other is None and any(v.is_categorical for v in shown):
        other = Patch(color=PALE_BLUE, label="mean of the sets")
    return [synthetic] if other is None else [synthetic, other]


def _draw_marginal(
    axes: Axes, variable: Variable, columns: list[np.ndarray], real: np.ndarray | None
) -> None:
    everything = [*columns] if real is None else [*columns, real]
    observed = [c[~np.isnan(c)] for c in everything]
    levels = np.unique(np.concatenate(observed))
    if variable.is_categorical:
        labels = [str(c) for c in variable.categories]
        _draw_bars(axes, labels, _shares(observed, np.arange(len(labels))), real is not None)
    elif len(levels) <= MAX_BARS:
        labels = [_value_label(value, variable) for value in levels]
        _draw_bars(axes, labels, _shares(observed, levels), real is not None)
    else:
        _draw_densities(axes, observed, variable, real is not None)
    axes.set_title(tidy(variable.name, 20))
    rate = np.mean([np.isnan(c).mean() for c in columns])
    if rate > 0:
        axes.set_title(
            f"{100 * rate:.2g} % missing", loc="right", color=MUTED, fontsize=7, weight=400
        )


def _value_label(value: float, variable: Variable) -> str:
    if variable.kind is Kind.DATETIME:
        return str(_as_time(value, variable).astype("datetime64[D]"))
    return f"{value:.6g}"


def _date_labels(steps: np.ndarray, variable: Variable) -> list[str]:
    """Write times as coarsely as their distance allows, by ISO 8601."""
    times = _as_time(steps, variable)
    days = (times[-1] - times[0]) / np.timedelta64(1, "D")
    unit = next((u for u, least in (("Y", 1500), ("M", 60), ("D", 2)) if days >= least), "m")
    return [str(time).replace("T", "\n") for time in times.astype(f"datetime64[{unit}]")]


def _as_time(steps: float | np.ndarray, variable: Variable) -> Any:
    return np.asarray(np.rint(steps) * variable.time_step).astype("datetime64[us]")


def _shares(observed: Sequence[np.ndarray], levels: np.ndarray) -> np.ndarray:
    """Return the share of each level, an array of shape (tables, levels)."""
    return np.array([[np.mean(c == v) if len(c) else 0.0 for v in levels] for c in observed])


def _draw_bars(axes: Axes, labels: Sequence[str], shares: np.ndarray, with_real: bool) -> None:
    labels, shares = _merge_rare(labels, 100 * shares)
    sets = shares[:-1] if with_real else shares
    y = np.arange(len(labels))
    if with_real:
        axes.barh(y, shares[-1], height=0.78, color=REAL)
    else:
        axes.barh(y, sets.mean(axis=0), height=0.78, color=PALE_BLUE)
    axes.hlines(y, sets.min(axis=0), sets.max(axis=0), color=BLUE, lw=1.1)
    for row in sets:
        axes.plot(row, y, "o", color=BLUE, ms=2.6, mew=0, alpha=0.75)
    axes.set_yticks(y, [tidy(text, 12) for text in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(0, None)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(ticker.MaxNLocator(4))
    axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g %%"))


def _merge_rare(labels: Sequence[str], shares: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Keep the most frequent categories in their order and add the others up."""
    if len(labels) <= MAX_BARS:
        return list(labels), shares
    kept = np.sort(np.argsort(-shares.mean(axis=0), kind="stable")[: MAX_BARS - 1])
    rest = np.delete(shares, kept, axis=1).sum(axis=1, keepdims=True)
    merged = f"{len(labels) - len(kept)} others"
    return [*(labels[i] for i in kept), merged], np.hstack([shares[:, kept], rest])


def _draw_densities(
    axes: Axes, observed: Sequence[np.ndarray], variable: Variable, with_real: bool
) -> None:
    low, high = _display_range(np.concatenate(observed))
    edges = np.linspace(low, high, 161)
    centres = (edges[:-1] + edges[1:]) / 2
    sets = observed[:-1] if with_real else observed
    bandwidth = _bandwidth(sets)
    if variable.kind is Kind.DATETIME:
        ticks = low + (high - low) * np.array([0.1, 0.5, 0.9])
        axes.set_xticks(ticks, _date_labels(ticks, variable))
    else:
        axes.xaxis.set_major_locator(ticker.MaxNLocator(5))
    if with_real:
        axes.fill_between(centres, _density(observed[-1], edges, bandwidth), color=REAL, lw=0)
    for values in sets:
        density = _density(values, edges, bandwidth)
        axes.plot(centres, density, color=BLUE, lw=0.9, alpha=0.8 if len(sets) <= 10 else 0.4)
    axes.set_ylim(0, None)
    axes.margins(x=0.01)
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)


def _display_range(values: np.ndarray) -> tuple[float, float]:
    """Return the range of the values; of the middle 99 % where the tails would take most of it."""
    low, high = values.min(), values.max()
    inner_low, inner_high = np.quantile(values, [0.005, 0.995])
    if high - low > 4 * (inner_high - inner_low) > 0:
        return float(inner_low), float(inner_high)
    return float(low), float(high)


def _bandwidth(sets: Sequence[np.ndarray]) -> float:
    """Return a bandwidth for one set, from the spread in all of them."""
    values = np.concatenate(sets)
    deviation = float(values.std())
    quartiles = np.quantile(values, [0.25, 0.75])
    spread = min(deviation, float(np.ptp(quartiles)) / 1.34) or deviation
    return UNDERSMOOTHING * 0.9 * spread * (len(values) / len(sets)) ** -0.2


def _density(values: np.ndarray, edges: np.ndarray, bandwidth: float) -> np.ndarray:
    """Smooth a histogram with a Gaussian kernel, reflected at both ends.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Observed values; those outside the edges count in n only.
    edges : ndarray of shape (cells + 1,)
        Equally spaced.
    bandwidth : float
        Standard deviation of the kernel; 0 leaves the histogram as it is.

    Returns
    -------
    ndarray of shape (cells,)
    """
    counts, _ = np.histogram(values, edges)
    step = edges[1] - edges[0]
    width = max(bandwidth / step, 0.3)
    half = min(len(counts), int(np.ceil(4 * width)))
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / width) ** 2)
    padded = np.pad(counts, half, mode="symmetric")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid") / (max(len(values), 1) * step)
