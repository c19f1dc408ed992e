"""The gate: a policy, written as a suite over the ledger of metrics, decides on publication.

Every expectation of a gate suite names its metric in ``meta.metric`` and selects its rows with a
``row_condition`` on that metric. A metric that the ledger lacks, or that is not finite, would pass in
Great Expectations; here it is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from expectations.suites import Suite, run_suite
from synth_tasks.errors import GateError, SpecError
from synth_tasks.ledger import LEDGER_COLUMNS, STRATUM
from synth_tasks.release.results import SuiteResult

SHOWN_ROWS = 3
MEANS = ("expect_column_mean_to_be_between", "expect_mean_linkage_at_most")
CONDITION = re.compile(
    r'metric\s*==\s*"(?P<metric>\w+)"(?P<rest>( and (target|keys)\s*==\s*"[^"\\\n]*")*)'
)


def check_gate(suite: Suite, origin: str) -> None:
    """Refuse a gate whose expectations do not say which metric they judge."""
    for number, item in enumerate(suite["expectations"], start=1):
        metric = (item.get("meta") or {}).get("metric")
        if not metric:
            raise SpecError(f"policy: expectation {number} of '{origin}' lacks meta.metric")
        condition = CONDITION.fullmatch(str(item["kwargs"].get("row_condition", "")))
        if condition is None or condition["metric"] != metric:
            raise SpecError(
                f"policy: expectation {number} of '{origin}' needs the row_condition "
                f"'metric == \"{metric}\"', with target or keys if need be"
            )
        if item["kwargs"].get("column") not in LEDGER_COLUMNS:
            raise SpecError(
                f"policy: expectation {number} of '{origin}' judges no column of the ledger: "
                f"use one of {', '.join(LEDGER_COLUMNS)}"
            )


def run_gate(suite: Suite, ledger: pd.DataFrame, n_sets: int) -> SuiteResult:
    """Judge the ledger.

    Parameters
    ----------
    suite : dict
        The policy.
    ledger : DataFrame
        From `synth_tasks.ledger.make_ledger`.
    n_sets : int
        Number of synthetic sets; a metric measured by set must be there for each of them.

    Returns
    -------
    SuiteResult
        The detail of a check shows the range of what was judged, or the worst rows if it failed.

    Raises
    ------
    GateError
        If a metric that the policy names is absent or not finite.
    """
    check_gate(suite, suite["name"])
    if STRATUM in ledger:
        return _run_by_stratum(suite, ledger, n_sets)
    judged = [_select(item, ledger) for item in suite["expectations"]]
    for item, rows in zip(suite["expectations"], judged, strict=True):
        _require_present(item, rows, n_sets)
    result = run_suite(suite, ledger, subject="ledger")
    checks = [
        replace(check, detail=_found(item, rows, check.success))
        for item, rows, check in zip(suite["expectations"], judged, result.checks, strict=True)
    ]
    return replace(result, checks=tuple(checks))


def _run_by_stratum(suite: Suite, ledger: pd.DataFrame, n_sets: int) -> SuiteResult:
    """Judge the whole and every stratum: a check is met if it is met everywhere."""
    names = [str(name) for name in ledger[STRATUM].unique()]
    asked: list[tuple[int, dict[str, Any]]] = []
    judged: list[dict[str, pd.DataFrame]] = []
    for number, item in enumerate(suite["expectations"]):
        groups = _select(item, ledger).groupby(STRATUM, sort=False)
        parts = {str(name): rows for name, rows in groups}
        _require_parts(item, parts, names)
        for rows in parts.values():
            _require_present(item, rows, n_sets)
        judged.append(parts)
        # A mean over all strata would hide one of them.
        places = list(parts) if item["type"] in MEANS else [None]
        asked += [(number, item if name is None else _within(item, name)) for name in places]
    found = run_suite({**suite, "expectations": [i for _, i in asked]}, ledger, subject="ledger")
    checks = []
    for number, item in enumerate(suite["expectations"]):
        own = [c for (n, _), c in zip(asked, found.checks, strict=True) if n == number]
        success = all(check.success for check in own)
        checks.append(replace(own[0], success=success, detail=_found_in(item, judged[number])))
    return replace(found, checks=tuple(checks))


def _require_parts(
    item: Mapping[str, Any], parts: Mapping[str, pd.DataFrame], names: Sequence[str]
) -> None:
    """Refuse a metric that was measured neither of the whole nor of all strata."""
    lacking = [name for name in names if name and name not in parts]
    if "" not in parts and lacking:
        raise GateError(
            f"the policy judges '{item['meta']['metric']}', which was not measured for "
            f"{len(lacking)} strata ({lacking[0]}): measure it or correct the policy"
        )


def _within(item: dict[str, Any], stratum: str) -> dict[str, Any]:
    condition = f'{item["kwargs"]["row_condition"]} and {STRATUM} == "{stratum}"'
    return {**item, "kwargs": {**item["kwargs"], "row_condition": condition}}


def _found_in(item: Mapping[str, Any], parts: Mapping[str, pd.DataFrame]) -> str:
    """Say what was found in the whole, and in the stratum that is nearest to a bound, or beyond."""
    beyond = {name: _excess(item, rows) for name, rows in parts.items()}
    details = [_found(item, parts[""], beyond[""] <= 0)] if "" in parts else []
    strata = [name for name in parts if name]
    if strata:
        worst = max(strata, key=lambda name: beyond[name])
        details.append(f"worst {worst}: {_found(item, parts[worst], beyond[worst] <= 0)}")
    return "; ".join(details)


def _excess(item: Mapping[str, Any], rows: pd.DataFrame) -> float:
    """Return how far the worst figure is beyond its bounds; negative within them."""
    values = rows[item["kwargs"]["column"]]
    low, high = item["kwargs"].get("min_value"), item["kwargs"].get("max_value")
    if item["type"] in MEANS:
        values = pd.Series([values.mean()])
    beyond = [] if high is None else [float(values.max()) - high]
    return max(beyond + ([] if low is None else [low - float(values.min())]), default=0.0)


def refuse_failures(result: SuiteResult) -> None:
    """Raise an error that shows the failing rows of the ledger if the gate refuses the release."""
    failures = result.failures("critical")
    if failures:
        lines = "; ".join(f"{check.description}: {check.detail}" for check in failures)
        raise GateError(
            f"the gate refuses the release: {len(failures)} critical check(s) failed: {lines}. "
            "Larger leaves (synthesis.options.cart.minbucket), fewer sets (synthesis.m), fewer or "
            "coarser columns help; the policy is policy.suite"
        )


def _select(item: Mapping[str, Any], ledger: pd.DataFrame) -> pd.DataFrame:
    # The form of the condition was checked against a pattern, so this evaluates comparisons only.
    return ledger.query(item["kwargs"]["row_condition"])


def _require_present(item: Mapping[str, Any], rows: pd.DataFrame, n_sets: int) -> None:
    metric, column = item["meta"]["metric"], item["kwargs"]["column"]
    measured = set(rows["set"])
    expected = {0} if 0 in measured else set(range(1, n_sets + 1))
    if measured != expected:
        raise GateError(
            f"the policy judges '{metric}', which was measured for {len(measured - {0})} of {n_sets} "
            "sets: correct the policy, or measure it (what is compared with a control needs "
            "disclosure.cross_fit: true)"
        )
    if not np.isfinite(rows[column].to_numpy(dtype=float)).all():
        raise GateError(
            f"the policy judges '{column}' of '{metric}', which is not finite: judge another column "
            "or correct the metric"
        )


def _found(item: Mapping[str, Any], rows: pd.DataFrame, success: bool) -> str:
    if item["type"] in MEANS:
        mean = rows[item["kwargs"]["column"]].mean()
        subject = f"{item['meta']['metric']}: mean {item['kwargs']['column']}"
        return f"{subject} {mean:.2g} ({_allowed(item)})"
    return _range(item, rows) if success else _worst_rows(item, rows)


def _range(item: Mapping[str, Any], rows: pd.DataFrame) -> str:
    values = rows[item["kwargs"]["column"]]
    low, high = f"{values.min():.2g}", f"{values.max():.2g}"
    found = low if low == high else f"{low} to {high}"
    # With the name of the metric, so that a report can tell whether the finding may be shown.
    return f"{item['meta']['metric']}: {item['kwargs']['column']} {found} ({_allowed(item)})"


def _allowed(item: Mapping[str, Any]) -> str:
    bounds = (("≥", item["kwargs"].get("min_value")), ("≤", item["kwargs"].get("max_value")))
    return "allowed " + " and ".join(f"{sign} {b:g}" for sign, b in bounds if b is not None)


def _worst_rows(item: Mapping[str, Any], rows: pd.DataFrame) -> str:
    column, kwargs = item["kwargs"]["column"], item["kwargs"]
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    excess = np.zeros(len(rows))
    if high is not None:
        excess = np.maximum(excess, rows[column] - high)
    if low is not None:
        excess = np.maximum(excess, low - rows[column])
    failing = rows.assign(excess=excess).query("excess > 0").sort_values("excess", ascending=False)
    shown = [_show_row(row, column) for row in failing.head(SHOWN_ROWS).to_dict("records")]
    more = len(failing) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "") + f" ({_allowed(item)})"


def _show_row(row: Mapping[str, Any], column: str) -> str:
    about = " ".join(str(row[key]) for key in ("target", "keys") if row[key])
    where = f"set {row['set']}" if row["set"] else "all sets"
    subject: Sequence[str] = [row["metric"], about, where] if about else [row["metric"], where]
    return f"{' '.join(subject)}: {column} {row[column]:.2g}"
