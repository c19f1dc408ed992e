"""Figures and descriptions as the rows of tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from synth_tasks.data import Kind, Variable
from synth_tasks.release import pictures
from synth_tasks.release.analysis import interval_overlap
from synth_tasks.release.report._content import ReportContent
from synth_tasks.release.results import AnalysisResult

MAX_LISTED = 30
NONE = "\N{EN DASH}"


def tabulate_estimates(analysis: AnalysisResult, private: bool) -> dict[str, Any]:
    rows = [_write_estimate(row) for row in analysis.pooled.to_dict("records")]
    if private:
        real = analysis.real.set_index("term").reindex(analysis.pooled["term"]).reset_index()
        overlap = interval_overlap(replace(analysis, real=real))
        for row, beside, share in zip(rows, real.to_dict("records"), overlap, strict=True):
            written = _write_estimate(beside)
            row["real_estimate"], row["real_interval"] = written["estimate"], written["interval"]
            row["overlap"] = pictures.format_fixed(share, 2)
    failed = ", ".join(str(number) for number in analysis.unconverged)
    return {"label": analysis.label, "rows": rows, "unconverged": failed}


def _write_estimate(row: Mapping[Any, Any]) -> dict[str, str]:
    digits = pictures.count_decimals(row["conf_low"], row["conf_high"])
    low, high = (pictures.format_fixed(row[c], digits) for c in ("conf_low", "conf_high"))
    return {
        "term": str(row["term"]),
        "estimate": pictures.format_fixed(row["estimate"], digits),
        "std_error": pictures.format_fixed(row["std_error"], digits),
        "interval": f"[{low}, {high}]",
        "df": _write_df(row.get("df", math.nan)),
        "p": _write_p(row.get("p_value", math.nan)),
    }


def _write_df(df: float) -> str:
    return "∞" if df > 1e6 else pictures.format_fixed(df, 1)


def _write_p(p: float) -> str:
    if math.isnan(p):
        return NONE
    return "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def tabulate_measures(ledger: pd.DataFrame) -> list[dict[str, str]]:
    """Describe the figures about the whole table; those about single variables are in the pictures."""
    whole = ledger[ledger["target"].fillna("") == ""]
    groups = whole.assign(keys=whole["keys"].fillna("")).groupby(["metric", "keys"])
    ordered = sorted(groups, key=lambda item: pictures.metric_order(item[0][0]))
    return [_write_measure(str(metric), str(keys), rows) for (metric, keys), rows in ordered]


def _write_measure(metric: str, keys: str, rows: pd.DataFrame) -> dict[str, str]:
    wording = pictures.describe_metric(metric)
    values = rows["value"].to_numpy(dtype=float)
    low, high = (_write_figure(v, wording) for v in (values.min(), values.max()))
    return {
        "title": wording.title,
        "meaning": wording.meaning,
        "known": keys.replace("+", ", "),
        "mean": _write_figure(values.mean(), wording),
        "range": low if low == high else f"{low} to {high}",
        "null": _write_figure(rows["null"].astype(float).mean(), wording),
    }


def _write_figure(value: float, wording: pictures.Wording) -> str:
    if math.isnan(value):
        return NONE
    shown = value * wording.factor
    digits = 2 if abs(shown) < 100 else 0
    # A zero that was rounded has no sign.
    return pictures.format_fixed(round(shown, digits) + 0.0, digits) + wording.suffix


def describe_variables(content: ReportContent) -> list[dict[str, str]]:
    methods = content.manifest.get("synthesis", {}).get("methods", {})
    rows = content.ledger[content.ledger["metric"] == "spmse_marginal"]
    spmse = rows.groupby("target")["value"].mean().to_dict()
    return [
        {
            "name": variable.name,
            "kind": str(variable.kind),
            "in_words": _describe_values(variable),
            "method": str(methods.get(variable.name, "")),
            "spmse": pictures.format_fixed(spmse.get(variable.name, math.nan), 2),
        }
        for variable in content.schema
    ]


def _describe_values(variable: Variable) -> str:
    if variable.is_categorical:
        sign = " < " if variable.kind is Kind.ORDINAL else ", "
        listed = sign.join(str(label) for label in variable.categories[:MAX_LISTED])
        more = len(variable.categories) - MAX_LISTED
        return f"{listed} and {more} more" if more > 0 else listed
    if variable.kind is Kind.DATETIME:
        steps = {86_400_000_000: "dates", 1_000_000: "times, to the second"}
        return steps.get(variable.time_step, "times, to the microsecond")
    if variable.kind is Kind.INTEGER or variable.decimals == 0:
        return "whole numbers"
    if variable.decimals is None:
        return "numbers"
    return "1 decimal" if variable.decimals == 1 else f"{variable.decimals} decimals"


def describe_provenance(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    synthesis = manifest.get("synthesis", {})
    facts = {
        "stage": synthesis.get("stage"),
        "imputations, and syntheses of each": _count_nests(synthesis),
        "rows of the real data": synthesis.get("n"),
        "rows of each set": synthesis.get("k"),
        "synthetic values drawn given": _name_conditioning(synthesis.get("conditioning")),
        "parameters drawn anew for every set": _yes_or_no(synthesis.get("proper")),
        "variables with synthetic values": _join_some(synthesis.get("synthesised", [])),
        "variables as they are in the real data": _join_some(synthesis.get("kept", [])),
        "rows with synthetic values": synthesis.get("rows"),
        "pooling rule": manifest.get("pooling_rule"),
        "digest of the release": manifest.get("digest"),
    }
    return [(name, str(fact)) for name, fact in facts.items() if fact not in (None, "")]


def _count_nests(synthesis: Mapping[str, Any]) -> str | None:
    m, r = synthesis.get("m"), synthesis.get("r")
    return f"{m}, {r}" if r is not None and r > 1 else None


def _name_conditioning(value: str | None) -> str | None:
    return None if value is None else f"{'real' if value == 'observed' else value} values"


def _yes_or_no(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def _join_some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - MAX_LISTED} more" if len(listed) > MAX_LISTED else ""
    return ", ".join(listed[:MAX_LISTED]) + more
