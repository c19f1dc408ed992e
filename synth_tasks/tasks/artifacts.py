"""What people see in the Prefect UI: progress, tables and a picture. Rates and counts only."""

from __future__ import annotations

import base64
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from synth_tasks.inference import RULES
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stores import Published
from synth_tasks.tasks.pool import AnalysisRef, read_analysis

FAILED_AS = {"critical": "FAILED", "warning": "warning", "info": "remark"}
PUBLISHED_ESTIMATES = ("term", "estimate", "std_error", "df", "p_value", "conf_low", "conf_high")


def artifact_key(spec: ReleaseSpec, what: str) -> str:
    """Return a stable key: small letters, digits and dashes."""
    return f"{spec.dataset.name.replace('_', '-')}-{what}"


class Progress:
    """Progress through the stages of a run, as a log line and as a progress artifact.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    n_stages : int
        Number of stages.
    logger : Logger or LoggerAdapter
        Takes one line a stage.
    tell : callable
        Is told each line, too; see `guarded`.
    """

    def __init__(
        self,
        spec: ReleaseSpec,
        n_stages: int,
        logger: logging.Logger | logging.LoggerAdapter,
        tell: Callable[[str], None],
    ) -> None:
        self._n_stages, self._logger, self._tell, self._done = n_stages, logger, tell, 0
        artifact: Any = create_progress_artifact(
            progress=0.0, key=artifact_key(spec, "progress"), description="starting"
        )
        self._artifact: UUID = artifact

    def finish(self, line: str) -> None:
        """Report that one more stage is done, in one line of counts and rates."""
        self._done += 1
        share = 100.0 * min(self._done / self._n_stages, 1.0)
        self._tell(line)
        self._logger.info("[%d/%d] %s", self._done, self._n_stages, line)
        update_progress_artifact(self._artifact, progress=share, description=line)

    def part(self, share: float, line: str) -> None:
        """Show how far the present stage is, in the artifact only.

        Parameters
        ----------
        share : float
            Between 0 and 1.
        line : str
            Counts and rates.
        """
        done = 100.0 * min((self._done + share) / self._n_stages, 1.0)
        self._tell(line)
        update_progress_artifact(self._artifact, progress=done, description=line)

    def complete(self, line: str) -> None:
        """Report the end, whatever stages were not needed."""
        self._logger.info("%s", line)
        update_progress_artifact(self._artifact, progress=100.0, description=line)


def show_gate(spec: ReleaseSpec, suites: Sequence[SuiteResult]) -> None:
    """Show every check of the gate, and of other suites those that failed."""
    rows = [
        {
            "verdict": "passed" if check.success else FAILED_AS[check.severity],
            "severity": check.severity,
            "suite": f"{result.suite} ({result.subject})",
            "check": check.description,
            "found": check.detail,
        }
        for result in suites
        for check in result.checks
        if result.suite == "gate" or not check.success
    ]
    n_checks = sum(len(result.checks) for result in suites)
    n_failed = sum(not check.success for result in suites for check in result.checks)
    create_table_artifact(
        rows,
        key=artifact_key(spec, "gate"),
        description=f"{n_checks} checks in {len(suites)} suites, {n_failed} not met. Shown: the gate, "
        "and what failed elsewhere.",
    )


def show_estimates(spec: ReleaseSpec, analyses: Sequence[AnalysisRef]) -> None:
    """Show the pooled estimates from the synthetic sets."""
    rows: list[dict[str, Any]] = []
    for ref in analyses:
        result = read_analysis(ref)
        table = result.pooled[list(PUBLISHED_ESTIMATES)]
        rows += [
            {"analysis": result.label, **{k: _plain(v) for k, v in row.items()}}
            for row in table.to_dict("records")
        ]
    rule = RULES[spec.pooling_rule].wording.name
    create_table_artifact(
        rows,
        key=artifact_key(spec, "estimates"),
        description=f"Estimates pooled over {spec.n_sets} synthetic sets by the rule {rule}.",
    )


def _plain(value: Any) -> Any:
    """Round numbers; the UI cannot show infinite ones."""
    if isinstance(value, str):
        return value
    return float(f"{value:.5g}") if math.isfinite(value) else "∞"


def show_release(
    spec: ReleaseSpec, published: Published, gate: SuiteResult, picture: bytes, sets: str
) -> None:
    """Link the release and show a picture of it."""
    n_passed = sum(check.success for check in gate.checks)
    create_markdown_artifact(
        f"# {spec.dataset.title or spec.dataset.name}, version {published.version}\n\n"
        f"{sets}. The gate: {n_passed} of {len(gate.checks)} checks met.\n\n"
        f"- folder: `{published.location}`\n"
        f"- [report]({published.address('report.html')})\n"
        f"- [validation]({published.address('validation/validation.html')})\n\n"
        f"{embed_picture(picture, 'distributions of the synthetic sets')}\n",
        key=artifact_key(spec, "release"),
        description=f"Release {published.version} of {spec.dataset.name}",
    )


def embed_picture(picture: bytes, alternative: str) -> str:
    """Return a PNG picture as an element that can stand in Markdown."""
    image = base64.b64encode(picture).decode()
    return f'<img alt="{alternative}" src="data:image/png;base64,{image}" />'


def show_differences(spec: ReleaseSpec, version: str, lines: Sequence[str]) -> None:
    """Show in what a release that was made again differs from the published one."""
    found = "".join(f"- {line}\n" for line in lines) or "Nothing differs, not a byte.\n"
    create_markdown_artifact(
        key=artifact_key(spec, "reproduction"), markdown=f"# {version} made again\n\n{found}"
    )
