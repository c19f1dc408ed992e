"""Asking a steward whether a release may be published."""

# No deferred annotations here: Prefect must find the types of the form.
import os
from typing import Literal

from prefect import suspend_flow_run
from prefect.artifacts import create_markdown_artifact
from prefect.input import RunInput
from prefect.runtime import deployment
from pydantic import Field

from synth_tasks.errors import SpecError
from synth_tasks.release.approval import Decision
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.tasks.artifacts import artifact_key
from synth_tasks.tasks.publish import Review

VARIABLES = ("SYNTH_DECISION", "SYNTH_DECIDED_BY", "SYNTH_REASON")
DAYS = 14


class Approval(RunInput):
    """Approve or reject the release; name and reason are recorded in its manifest."""

    decision: Literal["approve", "reject"] = Field(title="Decision", description="What you decide.")
    name: str = Field(title="Your name", description="Who decides.", min_length=1, max_length=200)
    reason: str = Field(
        title="Reason", description="Why, in one line.", min_length=1, max_length=1000
    )


def take_decision(approve: str | None, reject: str | None, reason: str | None) -> None:
    """Hand the decision of the command line to the flow, past the parameters that Prefect stores.

    Args:
        approve: Who approves.
        reject: Who rejects.
        reason: Why.
    """
    if approve is None and reject is None:
        if reason is not None:
            raise SpecError("--reason goes with --approve NAME or --reject NAME")
        return
    if not reason:
        raise SpecError("--approve and --reject need --reason TEXT: say why")
    name = str(approve if reject is None else reject)
    Decision.today(approved=reject is None, name=name, reason=reason)  # refuses what is no line
    values = ("approve" if reject is None else "reject", name, reason)
    os.environ.update(zip(VARIABLES, values, strict=True))


def ask(spec: ReleaseSpec, found: Review, suites: list[SuiteResult]) -> Decision | None:
    """Get the decision of a steward: made before, on the command line, or in the Prefect UI.

    A run of a deployment is suspended until the form is filled in; it is run again from the top then,
    and takes up what is finished. An approval on the command line holds for what was there to be read:
    if data, specification or findings have changed since, it is asked for again.

    Args:
        spec: The release.
        found: What is to be decided about.
        suites: Verdicts, for the warnings among them.

    Returns:
        The decision; None if there is nobody to ask.
    """
    given = _from_environment()
    if given is not None and (found.is_known or not given.approved):
        return given
    if found.decision is not None:
        return found.decision
    text = _describe(spec, found, suites)
    create_markdown_artifact(
        text, key=artifact_key(spec, "review"), description="Waits for a steward's decision"
    )
    if deployment.id is None:
        return None
    answer = suspend_flow_run(
        wait_for_input=Approval.with_initial_data(description=text),
        timeout=DAYS * 86_400,
        key=found.key,
    )
    approved = answer.decision == "approve"
    return Decision.today(approved=approved, name=answer.name, reason=answer.reason)


def how_to_decide(found: Review) -> str:
    """Say what a steward does on the command line.

    Args:
        found: What is to be decided about.
    """
    new = "" if found.is_known else "nobody has read this report yet: "
    return (
        f"waits for a steward's decision: {new}read {found.report}, then run again with "
        "--approve NAME --reason TEXT, or --reject NAME --reason TEXT"
    )


def _from_environment() -> Decision | None:
    what, name, reason = (os.environ.pop(variable, "") for variable in VARIABLES)
    if not what:
        return None
    return Decision.today(approved=what == "approve", name=name, reason=reason)


def _describe(spec: ReleaseSpec, found: Review, suites: list[SuiteResult]) -> str:
    warnings = list(
        dict.fromkeys(c.description for suite in suites for c in suite.failures("warning"))
    )
    listed = "\n".join(f"- {warning}" for warning in warnings) or "- none; the specification asks"
    return (
        f"# {spec.dataset.title or spec.dataset.name}: may it be published?\n\n"
        f"All critical checks are met. Warnings:\n\n{listed}\n\n"
        f"Private report, on the machine of the worker: `{found.report}`\n"
    )
