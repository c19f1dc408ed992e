"""Verdicts in words: the lights on top and the tables of checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from synth_tasks.release.results import Check, Severity, SuiteResult, all_checks

NAMED_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Light:
    """One line of the summary.

    Parameters
    ----------
    level : {"good", "warning", "bad", "info"}
        Its colour.
    name : str
        What it is about.
    sentence : str
        The verdict in words.
    """

    level: str
    name: str
    sentence: str

    @property
    def sign(self) -> str:
        """A sign for those who do not see the colour."""
        return {"good": "✓", "warning": "!", "bad": "✕", "info": "i"}[self.level]


def summarise(suites: Sequence[SuiteResult]) -> list[Light]:
    """Sum the verdicts up: the gate, warnings, remarks.

    Parameters
    ----------
    suites : sequence of SuiteResult
        All verdicts.

    Returns
    -------
    list of three Light
        Without any critical check the gate counts as not passed.
    """
    return [
        _judge_gate(suites),
        _judge_others(suites, "warning", "Warnings"),
        _judge_others(suites, "info", "Remarks"),
    ]


def _judge_gate(suites: Sequence[SuiteResult]) -> Light:
    total, failed = _count_failures(suites, "critical")
    if not total:
        return Light("bad", "Gate", "Not passed, because no critical check was made.")
    if failed:
        return Light(
            "bad", "Gate", f"Not passed. {_name_failures(failed, total, 'critical check')}"
        )
    return Light("good", "Gate", f"Passed: {_count_all(total, 'critical check')} met.")


def _judge_others(suites: Sequence[SuiteResult], severity: Severity, name: str) -> Light:
    total, failed = _count_failures(suites, severity)
    if not total:
        return Light("info", name, "No check of this kind was made.")
    if failed:
        level = "warning" if severity == "warning" else "info"
        return Light(level, name, _name_failures(failed, total, "check"))
    return Light("good", name, f"None: {_count_all(total, 'check')} met.")


def _count_failures(
    suites: Sequence[SuiteResult], severity: Severity
) -> tuple[int, list[tuple[SuiteResult, Check]]]:
    checks = [pair for pair in all_checks(suites) if pair[1].severity == severity]
    return len(checks), [pair for pair in checks if not pair[1].success]


def _count_all(total: int, thing: str) -> str:
    return f"the one {thing} is" if total == 1 else f"all {total} {thing}s are"


def _name_failures(failed: Sequence[tuple[SuiteResult, Check]], total: int, thing: str) -> str:
    names = list(dict.fromkeys(check.description for _, check in failed))
    more = f"; and {len(names) - NAMED_FAILURES} more" if len(names) > NAMED_FAILURES else ""
    which = f"The one {thing}" if total == 1 else f"{len(failed)} of {total} {thing}s"
    return f"{which} failed: {'; '.join(names[:NAMED_FAILURES])}{more}."


def group_checks(suites: Sequence[SuiteResult]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Put what was asked of several subjects into one row, suite by suite."""
    grouped: dict[str, dict[tuple[str, ...], list[tuple[str, Check]]]] = {}
    for suite, check in all_checks(suites):
        same = (check.name, check.description, check.severity, check.source)
        rows = grouped.setdefault(suite.suite, {})
        rows.setdefault(same, []).append((suite.subject, check))
    return [(name, [_sum_up(found) for found in rows.values()]) for name, rows in grouped.items()]


def _sum_up(found: Sequence[tuple[str, Check]]) -> dict[str, Any]:
    check = found[0][1]
    failed = [(subject, c) for subject, c in found if not c.success]
    result = "failed" if failed else "met"
    if len(found) > 1:
        result += f" in {len(failed) or len(found)} of {len(found)}"
    return {
        "description": check.description,
        "severity": check.severity,
        "source": check.source,
        "passed": not failed,
        "result": result,
        "found": _join_findings(failed or found, alone=len(found) == 1),
    }


def _join_findings(found: Sequence[tuple[str, Check]], alone: bool) -> str:
    details = [(subject, check.detail) for subject, check in found if check.detail]
    if len({detail for _, detail in details}) == 1 and (alone or len(details) == len(found) > 1):
        return details[0][1]
    return "; ".join(f"{subject}: {detail}" for subject, detail in details)
