"""What was measured of disclosure."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synth_tasks.release.pictures._canvas import (
    BLUE,
    INK,
    MAX_PANELS,
    MINUS,
    VERMILLION,
    add_legend,
    add_note,
    describe_cut,
    drawing,
    finish,
    new_panels,
    say,
    tidy,
)
from synth_tasks.release.pictures._wording import Wording, describe_metric, metric_order


@drawing()
def disclosure(ledger: pd.DataFrame) -> Figure:
    """Draw what was measured of disclosure: every set with its interval, against the null value.

    Parameters
    ----------
    ledger : DataFrame
        Rows of the family ``"disclosure"`` are drawn: those about the whole table, or, for metrics
        that have none, the largest over targets; what has a control is drawn by `controlled`. A
        metric that ends in ``_average`` is drawn as a row of the metric that it averages.

    Returns
    -------
    Figure
        One axes a metric and choice of keys, at most `MAX_PANELS`.
    """
    rows = ledger[(ledger["family"] == "disclosure") & ledger["control"].isna()]
    rows = rows[~rows["metric"].str.startswith("membership_")]
    rows = rows.assign(keys=rows["keys"].fillna(""), panel=_panel_names(rows["metric"]))
    groups = sorted(rows.groupby(["panel", "keys"]), key=lambda item: metric_order(item[0][0]))
    if not groups:
        return say("Disclosure", "No disclosure measure was taken.")
    shown = groups[:MAX_PANELS]
    n_sets = rows["set"].nunique()
    figure, panels = new_panels(len(shown), 3, height=0.75 + min(2.5, 0.13 * max(n_sets, 5)))
    for axes, ((name, keys), group) in zip(panels, shown, strict=True):
        _draw_measure(axes, str(name), str(keys), _whole_table(group))
    add_legend(figure, _disclosure_legend(rows))
    add_note(figure, describe_cut(len(shown), len(groups), "measures"))
    return finish(figure, "Disclosure")


def _disclosure_legend(rows: pd.DataFrame) -> list[Line2D]:
    handles = [
        Line2D([], [], color=BLUE, marker="o", ms=4, lw=1.4, label="one set, 95 % interval"),
        Line2D(
            [],
            [],
            color=VERMILLION,
            marker="o",
            ms=4,
            lw=1.4,
            label="interval beyond the null value",
        ),
        Line2D([], [], color=INK, lw=1, ls=(0, (4, 2)), label="null value: nothing disclosed"),
    ]
    if (rows["set"] == 0).any():
        handles[1:1] = [
            Line2D([], [], color=BLUE, marker="D", ms=4, lw=1.4, label="all sets together")
        ]
    return handles


def _panel_names(metrics: pd.Series) -> pd.Series:
    known = set(metrics)
    bases = metrics.str.removesuffix("_average")
    return metrics.where(~bases.isin(known), bases)


def _whole_table(group: pd.DataFrame) -> pd.DataFrame:
    """Return one row a set: about the whole table, or the largest over targets."""
    whole = group[group["target"].fillna("") == ""]
    chosen = whole if len(whole) else group.sort_values("value", kind="stable")
    chosen = chosen.drop_duplicates(["metric", "set"], keep="last")
    return chosen.assign(position=chosen["set"].where(chosen["set"] > 0, np.inf)).sort_values(
        ["position", "metric"], kind="stable"
    )


def _draw_measure(axes: Axes, name: str, keys: str, rows: pd.DataFrame) -> None:
    wording = describe_metric(name)
    columns = ["value", "lower", "upper", "null"]
    value, lower, upper, null = wording.factor * rows[columns].to_numpy(dtype=float).T
    lower, upper = (np.where(np.isfinite(b), b, value) for b in (lower, upper))
    beyond = {"above": lower > null + 1e-12, "below": upper < null - 1e-12}.get(
        wording.discloses, np.zeros(len(rows), dtype=bool)
    )
    y = np.arange(len(rows))
    colours = [VERMILLION if b else BLUE for b in beyond]
    axes.hlines(y, lower, upper, colors=colours, lw=1.4)
    for i, number in enumerate(rows["set"]):
        axes.plot(value[i], i, "o" if number else "D", color=colours[i], ms=4, mec="white", mew=0.5)
    if np.isfinite(null).any():
        axes.plot(
            np.repeat(null, 2), np.repeat(y, 2) + np.tile([-0.5, 0.5], len(y)),
            color=INK, lw=1, ls=(0, (4, 2)), zorder=1,
        )  # fmt: skip
    labels = [str(number) if number else "all" for number in rows["set"]]
    every = 1 + len(labels) // 12
    axes.set_yticks(y[::every], labels[::every])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    _limit_measure(axes, wording, np.concatenate([lower, upper, null]))
    axes.set_title(tidy(wording.title, 40), fontsize=8.5)
    notes = [f"keys: {tidy(keys.replace('+', ', '), 40)}"] if keys else []
    if (rows["target"].fillna("") != "").all():
        notes.append("largest of all targets")
    axes.set_xlabel(", ".join(notes), fontsize=7)


def _limit_measure(axes: Axes, wording: Wording, values: np.ndarray) -> None:
    """Leave air around the values, start shares at 0, and never blow noise up to full width."""
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(finite.max())
    least = 1.0 if wording.unit else 0.1
    spread = max(high - low, least)
    if wording.unit and low >= 0:
        axes.set_xlim(-0.03 * max(high, least), 1.06 * max(high, least))
    else:
        centre = (low + high) / 2
        axes.set_xlim(centre - 0.56 * spread, centre + 0.56 * spread)
    axes.xaxis.set_major_locator(ticker.MaxNLocator(4))
    axes.xaxis.set_major_formatter(
        ticker.FuncFormatter(lambda x, _: f"{x:.4g}{wording.suffix}".replace("-", MINUS))
    )
