"""Forest plots: pooled estimates with their intervals, of one result or of several side by side.

Figures are made without pyplot; matplotlib is loaded with the first one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synth_tasks.errors import PoolingError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from synth_tasks.inference.pooled import PooledEstimates

WIDTH = 7.5
INK = "#1F2933"
MUTED = "#66717D"
STRIPE = "#F3F5F7"
# From the palette of Okabe & Ito (2008), which people with colour blindness can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)
MARKS = "osD^vPX"
MAX_NAME = 32


def forest_plot(
    results: Mapping[str, PooledEstimates], terms: Sequence[str] | None = None
) -> Figure:
    """Draw estimates as points and their intervals as lines, one row a term.

    Parameters
    ----------
    results : mapping of str to PooledEstimates
        Results under the names that the legend gives; those of a term stand below each other.
    terms : sequence of str, optional
        Which terms, in order; all of the first result and then those of the others if not given.
        Terms of very different size are better drawn apart.

    Returns
    -------
    matplotlib.figure.Figure
        Correlations and Cramér's V are drawn as they are, variances on a logarithmic axis.

    Raises
    ------
    PoolingError
        If there is no result, there are more than seven, they are on different scales, or a term is
        unknown.

    References
    ----------
    Lewis & Clarke (2001). Forest plots: trying to see the wood and the trees. BMJ 322, 1479-1480.
    """
    from matplotlib.figure import Figure

    rows = _choose_terms(results, terms)
    n_results = len(results)
    height = 1.1 + len(rows) * (0.16 + 0.2 * n_results)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    _prepare(axes, rows, results)
    # Results of a term share the middle of its row.
    shifts = (np.arange(n_results) - (n_results - 1) / 2) * 0.7 / n_results
    for (name, result), shift, colour, mark in zip(
        results.items(), shifts, COLOURS, MARKS, strict=False
    ):
        _draw(axes, result.table.set_index("term").reindex(rows), shift, colour, mark, name)
    if n_results > 1:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=n_results,
                      frameon=False, fontsize=9)  # fmt: skip
    return figure


def _choose_terms(results: Mapping[str, PooledEstimates], terms: Sequence[str] | None) -> list[str]:
    if not 1 <= len(results) <= len(COLOURS):
        raise PoolingError(f"a forest plot shows 1 to {len(COLOURS)} results, not {len(results)}")
    if len({result.scale for result in results.values()}) > 1:
        raise PoolingError(
            "the results are on different scales (regression, correlation, variance): draw them apart"
        )
    known = list(dict.fromkeys(t for result in results.values() for t in result.table["term"]))
    unknown = [term for term in terms or [] if term not in known]
    if unknown:
        raise PoolingError(f"unknown term '{unknown[0]}': use some of {', '.join(known)}")
    return list(terms or known)


def _prepare(axes: Axes, rows: Sequence[str], results: Mapping[str, PooledEstimates]) -> None:
    """Name the rows and draw what lies behind the estimates."""
    first = next(iter(results.values()))
    axes.set_yticks(range(len(rows)), [_shorten(term) for term in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for row in range(0, len(rows), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=STRIPE, lw=0, zorder=0)
    if first.scale == "log":
        axes.set_xscale("log")
    else:
        axes.axvline(0, color=MUTED, lw=1, ls=(0, (4, 3)), zorder=1)
    axes.tick_params(axis="y", length=0, colors=INK)
    axes.tick_params(axis="x", colors=MUTED)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    levels = list(dict.fromkeys(f"{100 * r.confidence:.4g}" for r in results.values()))
    axes.set_xlabel(f"estimate and {' or '.join(levels)} % interval", color=MUTED)
    labels = list(dict.fromkeys(f"{r.model}: {r.label}" for r in results.values()))
    if len(labels) == 1:
        axes.set_title(_plain(labels[0]), loc="left", fontsize=10, color=INK)


def _draw(axes: Axes, table: pd.DataFrame, shift: float, colour: str, mark: str, name: str) -> None:
    estimate, low, high = (
        table[c].to_numpy(dtype=float) for c in ("estimate", "conf_low", "conf_high")
    )
    y = np.arange(len(table)) + shift
    axes.hlines(y, low, high, color=colour, lw=1.8, zorder=2)
    axes.plot(estimate, y, mark, color=colour, ms=5.5, mec="white", mew=0.7, zorder=3,
              label=_plain(name))  # fmt: skip


def _shorten(term: str) -> str:
    short = term if len(term) <= MAX_NAME else term[: MAX_NAME - 1] + "…"
    return _plain(short)


def _plain(text: str) -> str:
    """Keep matplotlib from reading what stands between two dollar signs as a formula."""
    return text.replace("$", r"\$")
