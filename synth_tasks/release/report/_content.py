"""What a report tells, and what of it may leave."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from synth_tasks.data import Schema
from synth_tasks.ledger import STRATUM
from synth_tasks.release import pictures
from synth_tasks.release.analysis import REAL_COLUMNS
from synth_tasks.release.results import AnalysisResult, Check, SuiteResult

# Suites whose findings are about what is published; those of others count things in the real data.
PUBLIC_SUITES = frozenset({"synthetic", "gate"})


@dataclass(frozen=True)
class ReportContent:
    """Everything that a report tells.

    Parameters
    ----------
    title, name, version, description, licence : str
        What the release is called; empty texts are left out.
    sources : list of str
        Citations of the real data.
    schema : Schema
        The variables.
    sets : list of m DataFrame
        The synthetic sets.
    ledger : DataFrame
        As made by `synth_tasks.ledger.make_ledger`.
    suites : list of SuiteResult
        Verdicts, in the order of the release.
    analyses : list of AnalysisResult
        Pooled estimates, and those from the real data.
    manifest : dict
        As made by `synth_tasks.release.manifest.make_manifest`; its keys ``synthesis``,
        ``pooling_rule``, ``packages`` and ``digest`` are shown where they are given.
    real : DataFrame, optional
        The real data; drawn in a private report only.
    rows : tuple of int, optional
        Rows of each set, where `sets` (and `real`) hold random samples of them.
    """

    title: str
    name: str
    version: str
    description: str
    licence: str
    sources: list[str]
    schema: Schema
    sets: list[pd.DataFrame]
    ledger: pd.DataFrame
    suites: list[SuiteResult]
    analyses: list[AnalysisResult]
    manifest: dict[str, Any]
    real: pd.DataFrame | None = None
    rows: tuple[int, ...] | None = None


def withhold_real(content: ReportContent) -> ReportContent:
    """Take away everything that is about the real data.

    That is the data, the estimates from them, metrics whose wording does not call them public
    (``templates/measures.yaml``), the findings of suites that are not in `PUBLIC_SUITES`, and findings
    that name a metric which is not public.

    Returns
    -------
    ReportContent
        The same for all real data that lead to the same sets, public metrics and verdicts.
    """
    metrics = set(content.ledger["metric"])
    inside = {name for name in metrics if not pictures.describe_metric(name).public}
    return replace(
        content,
        real=None,
        ledger=content.ledger[~content.ledger["metric"].isin(inside)],
        analyses=[replace(a, real=pd.DataFrame(columns=REAL_COLUMNS)) for a in content.analyses],
        suites=[_withhold_findings(suite, inside) for suite in content.suites],
    )


def of_the_whole(content: ReportContent) -> ReportContent:
    """Leave out the figures of single strata: tables and pictures show the whole."""
    ledger = content.ledger
    if STRATUM not in ledger:
        return content
    whole = ledger[ledger[STRATUM] == ""].drop(columns=STRATUM).reset_index(drop=True)
    return replace(content, ledger=whole)


def _withhold_findings(suite: SuiteResult, inside: set[str]) -> SuiteResult:
    def withhold(check: Check) -> Check:
        may_leave = suite.suite in PUBLIC_SUITES and inside.isdisjoint(
            re.findall(r"\w+", check.detail)
        )
        return check if may_leave else replace(check, detail="")

    return replace(suite, checks=tuple(withhold(check) for check in suite.checks))
