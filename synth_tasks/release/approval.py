"""The decision of a data steward about a release."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from synth_tasks.errors import IntegrityError, SpecError
from synth_tasks.files import refuse_links, write_atomically
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.workspace import Workspace

MOST_LETTERS = 1000
FOLDER = "approvals"


@dataclass(frozen=True)
class Decision:
    """What a steward decided.

    Parameters
    ----------
    approved : bool
        Whether the release may be published.
    name : str
        Who decided.
    reason : str
        Why.
    on : str
        Day of the decision, as YYYY-MM-DD.
    """

    approved: bool
    name: str
    reason: str
    on: str

    def __post_init__(self) -> None:
        for field in ("name", "reason"):
            text = getattr(self, field)
            if not text.strip() or len(text) > MOST_LETTERS or not text.isprintable():
                raise SpecError(
                    f"approval: {field} must be a line of 1 to {MOST_LETTERS} letters: say who "
                    "decides and why"
                )

    @classmethod
    def today(cls, *, approved: bool, name: str, reason: str) -> Decision:
        """Decide now."""
        return cls(approved, name.strip(), reason.strip(), date.today().isoformat())

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form, for the manifest."""
        return asdict(self)


def recorded_decision(manifest: Mapping[str, Any]) -> Decision | None:
    """Return the decision that a manifest records; None if nobody was asked.

    Raises
    ------
    IntegrityError
        If what it records is no decision.
    """
    recorded = manifest.get("approval")
    try:
        return None if recorded is None else Decision(**recorded)
    except (TypeError, AttributeError, SpecError):
        raise IntegrityError("the manifest records an approval that is none") from None


def needs_approval(spec: ReleaseSpec, suites: Sequence[SuiteResult]) -> bool:
    """Whether a person has to decide: always, or if the policy warns, as `publish.approval` says."""
    if spec.publish.approval == "always":
        return True
    warned = any(suite.failures("warning") for suite in suites)
    return spec.publish.approval == "warnings" and warned


def read_decision(workspace: Workspace, digest: str) -> Decision | None:
    """Return what was decided about exactly these sets and findings, if anything was."""
    path = workspace.private(FOLDER) / f"{digest}.json"
    refuse_links(workspace.folder, path)  # nobody but the steward decides
    if not path.is_file():
        return None
    return Decision(**json.loads(path.read_text(encoding="utf-8")))


def keep_decision(workspace: Workspace, digest: str, decision: Decision) -> None:
    """Keep a decision in the workspace; a later one about the same sets takes its place."""
    text = json.dumps(decision.to_dict(), sort_keys=True)
    path = workspace.private(FOLDER) / f"{digest}.json"
    write_atomically(path, lambda file: file.write(text.encode()))
