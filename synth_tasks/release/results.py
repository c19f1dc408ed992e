"""What the stages of a release report: verdicts and figures, never a data value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from synth_tasks.ledger import Measurement

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one expectation.

    Parameters
    ----------
    name : str
        Type of the expectation, e.g. ``"expect_column_values_to_not_be_null"``.
    description : str
        In words, e.g. ``"age is never missing"``.
    severity : {"critical", "warning", "info"}
        What a failure means: no release, a warning, or a remark.
    success : bool
        Whether it was met.
    detail : str
        What was found, in counts, rates and column names; for the gate the ledger rows that failed.
    source : str
        Why the bound is what it is: a reference or the policy's owner.
    """

    name: str
    description: str
    severity: Severity
    success: bool
    detail: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The outcome of one suite on one table.

    Parameters
    ----------
    suite : str
        Name of the suite, e.g. ``"synthetic"``.
    subject : str
        What was judged, e.g. ``"set 3"``.
    checks : tuple of Check
        One for every expectation in the file, in its order.
    """

    suite: str
    subject: str
    checks: tuple[Check, ...]

    def failures(self, severity: Severity) -> list[Check]:
        """Return the checks of a severity that were not met."""
        return [c for c in self.checks if not c.success and c.severity == severity]

    @property
    def passed(self) -> bool:
        """Whether no critical check failed."""
        return not self.failures("critical")

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form; `from_dict` reads it back."""
        return {
            "suite": self.suite,
            "subject": self.subject,
            "checks": [asdict(check) for check in self.checks],
        }

    @classmethod
    def from_dict(cls, item: Mapping[str, Any]) -> SuiteResult:
        """Rebuild a result from `to_dict`."""
        return cls(item["suite"], item["subject"], tuple(Check(**c) for c in item["checks"]))


@dataclass(frozen=True)
class AnalysisResult:
    """One analysis: pooled over the synthetic sets, and on the real data.

    Parameters
    ----------
    label : str
        What was fitted, e.g. ``"ols: age ~ wgt + hgt"``.
    rule : str
        Pooling rule.
    pooled : DataFrame
        Table of `synth_tasks.inference.PooledEstimates`.
    real : DataFrame
        Columns term, estimate, std_error, conf_low, conf_high from the real data: private.
    unconverged : tuple of int
        Numbers of the sets on which the model did not converge.
    agreement : tuple of Measurement
        How well pooled and real estimates agree, for the ledger: private but for what is coarse.
    """

    label: str
    rule: str
    pooled: pd.DataFrame
    real: pd.DataFrame
    unconverged: tuple[int, ...] = ()
    agreement: tuple[Measurement, ...] = ()


def all_checks(results: Sequence[SuiteResult]) -> list[tuple[SuiteResult, Check]]:
    """Return every check with the result it belongs to."""
    return [(result, check) for result in results for check in result.checks]
