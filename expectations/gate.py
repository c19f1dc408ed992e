"""The gate: a policy, written as a suite over the ledger of metrics, decides on publication.

Every expectation of a gate suite names its metric in ``meta.metric`` and selects its rows with a
``row_condition`` on that metric. A metric that the ledger lacks, or that is not finite, would pass in
Great Expectations; here it is an error.

Of a release in strata the whole is judged as any other release is. A stratum is refused for an S_pMSE
only if it exceeds its bound by more than chance adds to the null value in all strata, variables and
sets together, because the largest of thousands of figures exceeds 10 by chance alone: not the value is
compared with the bound but the column ``lower`` (`synth_tasks.utility.at_once`).
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
from synth_tasks.utility import marginals, pairs

SHOWN_ROWS = 3
MEANS = ("expect_column_mean_to_be_between", "expect_mean_linkage_at_most")
BY_EVIDENCE = frozenset(metric.name for metric in (*marginals.METRICS, *pairs.METRICS))
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
        for name, rows in parts.items():
            for own in _asked_of(item, name):
                _require_present(own, rows, n_sets)
        judged.append(parts)
        asked += [(number, each) for each in _divide(item, list(parts))]
    found = run_suite({**suite, "expectations": [i for _, i in asked]}, ledger, subject="ledger")
    checks = []
    for number, item in enumerate(suite["expectations"]):
        own_checks = [c for (n, _), c in zip(asked, found.checks, strict=True) if n == number]
        success = all(check.success for check in own_checks)
        detail = _found_in(item, judged[number])
        checks.append(replace(own_checks[0], success=success, detail=detail))
    return replace(found, checks=tuple(checks))


def _divide(item: dict[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """Ask of parts what an expectation says of them; of all at once if it says the same of all."""
    if item["type"] not in MEANS and _asked_of(item, "a stratum") == [item]:
        return [item]
    if item["type"] in MEANS:  # a mean over all strata would hide one of them
        return [_within(each, name) for name in names for each in _asked_of(item, name)]
    whole = [_within(item, "")] if "" in names else []
    if not any(names):
        return whole
    return whole + [_within(each, "", "!=") for each in _asked_of(item, "a stratum")]


def _asked_of(item: dict[str, Any], stratum: str) -> list[dict[str, Any]]:
    """Return what an expectation means for the whole, which has no name, or for a stratum."""
    kwargs = item["kwargs"]
    most, least = kwargs.get("max_value"), kwargs.get("min_value")
    by_value = item["meta"]["metric"] not in BY_EVIDENCE or kwargs["column"] != "value"
    if not stratum or by_value or most is None:
        return [item]
    evidence = {**item, "kwargs": {**kwargs, "column": "lower", "min_value": None}}
    at_least = {**item, "kwargs": {**kwargs, "max_value": None}}
    return [evidence] if least is None else [evidence, at_least]


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


def _within(item: dict[str, Any], stratum: str, sign: str = "==") -> dict[str, Any]:
    condition = f'{item["kwargs"]["row_condition"]} and {STRATUM} {sign} "{stratum}"'
    return {**item, "kwargs": {**item["kwargs"], "row_condition": condition}}


def _found_in(item: dict[str, Any], parts: Mapping[str, pd.DataFrame]) -> str:
    """Say what was found in the whole, and in the stratum that is nearest to a bound, or beyond."""
    details = [_found(item, parts[""], _excess(item, parts[""]) <= 0)] if "" in parts else []
    strata = [name for name in parts if name]
    for each in _asked_of(item, strata[0]) if strata else []:
        beyond = {name: _excess(each, parts[name]) for name in strata}
        worst = max(strata, key=lambda name: beyond[name])
        details.append(f"worst {worst}: {_found(each, parts[worst], beyond[worst] <= 0)}")
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
