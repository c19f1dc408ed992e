"""Where the data and figures of two releases differ; one row a difference, ready to be read.

Numbers are the same if they agree to a relative `TOLERANCE`: libraries of linear algebra round
differently in the last digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.release.contents import ReleaseContents

TOLERANCE = 1e-9
FIGURE_KEYS = ["family", "metric", "target", "keys"]
ABSENT = "–"

# --- the sets -------------------------------------------------------------------------------------


def compare_sets(old: ReleaseContents, new: ReleaseContents) -> pd.DataFrame:
    """Count the cells that differ, set by set; the order of rows counts."""
    rows = []
    for number in range(max(len(old.sets), len(new.sets))):
        before = old.sets[number] if number < len(old.sets) else None
        after = new.sets[number] if number < len(new.sets) else None
        if before is None or after is None or before.shape != after.shape:
            differ = "another shape"
        else:
            count = sum(_count_differences(old, new, number).values())
            differ = f"{count} of {before.size}" if count else ""
        if differ:
            shapes = {"published": _shape(before), "made anew": _shape(after)}
            rows.append({"set": number + 1, **shapes, "cells that differ": differ})
    return pd.DataFrame(rows)


def _shape(frame: pd.DataFrame | None) -> str:
    return ABSENT if frame is None else f"{frame.shape[0]} × {frame.shape[1]}"


def _count_differences(old: ReleaseContents, new: ReleaseContents, number: int) -> dict[str, int]:
    """Count cells that differ by column; in a column that is new, all do."""
    return {
        name: int((~_equal(_values(old, number, name), _values(new, number, name))).sum())
        if name in old.fields
        else len(new.sets[number])
        for name in new.fields
    }


def _equal(before: pd.Series, after: pd.Series) -> np.ndarray:
    if before.dtype == float and after.dtype == float:
        return np.isclose(before, after, rtol=TOLERANCE, atol=0, equal_nan=True)
    return (before.astype(object) == after.astype(object)).to_numpy()


def _is_number(field: Mapping[str, Any]) -> bool:
    measured = field["type"] in {"number", "integer"} or _is_time(field)
    return measured and "enum" not in field["constraints"]


def _is_time(field: Mapping[str, Any]) -> bool:
    return field["type"] in {"date", "datetime"}


def _unit(field: Mapping[str, Any]) -> str:
    return " (days since 1970)" if _is_time(field) else ""


def _values(contents: ReleaseContents, number: int, name: str) -> pd.Series:
    """Return numbers as floats, times as days since 1970, and everything else as labels."""
    column, field = contents.sets[number][name], contents.fields[name]
    if not _is_number(field):
        return column.astype(object).where(column.notna(), "missing").astype(str)
    if _is_time(field):
        return (pd.to_datetime(column) - pd.Timestamp(0)) / pd.Timedelta(1, "D")
    return column.astype(float)


# --- distributions --------------------------------------------------------------------------------


def compare_distributions(old: ReleaseContents, new: ReleaseContents) -> pd.DataFrame:
    """Compare means, standard deviations, medians and shares over all sets together.

    Differences of numbers are in published standard deviations, those of shares in points.
    """
    rows: list[dict[str, Any]] = []
    for name in old.fields:
        if name not in new.fields:
            continue
        before, after = _describe(old, name), _describe(new, name)
        scale, unit = (before["std. dev."], " sd") if "std. dev." in before else (0.01, " points")
        for figure in dict.fromkeys([*before, *after]):
            was, now = before.get(figure, 0.0), after.get(figure, 0.0)
            if not _same(was, now, scale):
                difference = f"{(now - was) / scale:+.2g}{unit}" if scale else ABSENT
                rows.append(
                    _row(f"{name}, {figure}{_unit(old.fields[name])}", was, now, difference)
                )
    return pd.DataFrame(rows)


def _describe(contents: ReleaseContents, name: str) -> dict[str, float]:
    values = pd.concat([_values(contents, number, name) for number in range(len(contents.sets))])
    if not _is_number(contents.fields[name]):
        return {f"share of {k}": v for k, v in values.value_counts(normalize=True).items()}
    found = {"mean": values.mean(), "std. dev.": values.std(), "median": values.median()}
    missing = values.isna().mean()
    return found | ({"share missing": missing} if missing else {})


# --- figures and estimates ------------------------------------------------------------------------


def compare_ledgers(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Compare what was measured, averaged over the sets."""
    both = _join(old, new, FIGURE_KEYS, ["value"])
    return pd.DataFrame(
        [
            _row(
                ", ".join(str(part) for part in key[1:] if part), row["value_old"], row["value_new"]
            )
            for key, row in both.iterrows()
            if not _same(row["value_old"], row["value_new"])
        ]
    )


def compare_estimates(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Compare pooled estimates; differences are in published standard errors."""
    if old.empty and new.empty:
        return pd.DataFrame()
    both = _join(old, new, ["analysis", "term"], ["estimate", "std_error"])
    rows = []
    for (analysis, term), row in both.iterrows():
        was, now = row["estimate_old"], row["estimate_new"]
        widths = row["std_error_old"], row["std_error_new"]
        if not (_same(was, now, widths[0]) and _same(*widths)):
            difference = f"{(now - was) / widths[0]:+.2g} se" if widths[0] > 0 else ABSENT
            ratio = {
                "ratio of std. errors": f"{widths[1] / widths[0]:.3g}" if widths[0] else ABSENT
            }
            rows.append(_row(f"{analysis}, {term}", was, now, difference) | ratio)
    return pd.DataFrame(rows)


def _join(old: pd.DataFrame, new: pd.DataFrame, keys: list[str], values: list[str]) -> pd.DataFrame:
    """Put figures side by side in their order; what only one has is NaN in the other."""
    sides = []
    for frame in (old, new):
        columns = frame.reindex(columns=[*keys, *values])
        named = columns[keys].astype(object).where(columns[keys].notna(), "")
        sides.append(columns[values].groupby([named[key] for key in keys], sort=False).mean())
    index = sides[0].index.append(sides[1].index).unique()
    before, after = (side.reindex(index) for side in sides)
    return pd.concat([before.add_suffix("_old"), after.add_suffix("_new")], axis=1)


# --- writing --------------------------------------------------------------------------------------


def _row(what: str, was: float, now: float, difference: str | None = None) -> dict[str, Any]:
    row = {"what": what, "published": _number(was), "made anew": _number(now)}
    return row if difference is None else row | {"difference": difference.replace("nan", ABSENT)}


def _same(was: float, now: float, scale: float = 0.0) -> bool:
    """Tell whether numbers agree, relative to the larger of the first one and of a scale."""
    if np.isnan(was) or np.isnan(now):
        return bool(np.isnan(was) and np.isnan(now))
    return bool(abs(now - was) <= TOLERANCE * np.nanmax([abs(was), scale]))


def _number(value: float) -> str:
    return ABSENT if np.isnan(value) else f"{value:.4g}"
