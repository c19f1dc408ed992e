"""How a release ends, whether its table is whole or in parts: gate, steward, publication."""

# No deferred annotations here, as in `flows.release`.
import pandas as pd
from prefect.states import Failed, State

from flows.approval import ask, how_to_decide
from flows.steps import AWAITING, completed_state, limited
from synth_tasks.release.approval import Decision, needs_approval
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.stores import Published
from synth_tasks.tasks.artifacts import Progress, show_gate, show_release
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.made import Made
from synth_tasks.tasks.publish import (
    draw_picture,
    publish,
    purge,
    quarantine,
    record_decision,
    review,
)
from synth_tasks.tasks.validate import apply_gate, refuse_failures


def judge(
    context: RunContext, ledger: pd.DataFrame, results: list[SuiteResult], progress: Progress
) -> SuiteResult:
    """Let the policy decide; stop the run if it refuses.

    Args:
        context: The release.
        ledger: All metrics.
        results: Verdicts so far, to be shown with that of the gate.
        progress: Is told of the verdict.

    Returns:
        The verdict of the gate.
    """
    gate = apply_gate(context, ledger)
    show_gate(context.spec, [*results, gate])
    refuse_failures(gate)
    n_warnings = len(gate.failures("warning"))
    progress.finish(f"gate passed: {len(gate.checks)} checks, {n_warnings} warnings")
    return gate


def conclude(context: RunContext, made: Made, progress: Progress) -> State:
    """Ask a steward if that is needed, publish, and end the run.

    Args:
        context: The release.
        made: What the gate let pass.
        progress: Is told of the publication.

    Returns:
        The state in which the run ends.
    """
    decision = None
    if needs_approval(context.spec, made.suites):
        answer = _decide(context, made)
        if isinstance(answer, State):
            return answer
        decision = answer
    picture = draw_picture(context, made)
    published = put_out(context, made, decision)
    purge(context)
    rows, width = made.set_rows, made.ingested.columns
    size = f"{len(rows)} synthetic set{'s' * (len(rows) > 1)} of {rows[0]} rows and {width} columns"
    show_release(context.spec, published, made.suites[-1], picture, size)
    line = f"published {published.location}"
    progress.finish(line)
    return completed_state(line, published)


def put_out(context: RunContext, made: Made, decision: Decision | None) -> Published:
    """Publish what was made; intermediate files stay in the workspace.

    Args:
        context: The release.
        made: What is published.
        decision: Of a steward, for the manifest; None if nobody was asked.
    """
    return limited(publish, context.spec)(context, made, decision)


def _decide(context: RunContext, made: Made) -> Decision | State:
    """Ask a steward; return the approval, or the state in which the run ends without one."""
    found = review(context, made)
    decision = ask(context.spec, found, made.suites)
    if decision is None:
        return Failed(name=AWAITING, message=how_to_decide(found))
    record_decision(context, found.key, decision)
    if decision.approved:
        return decision
    folder = quarantine(context, made, found, decision)
    by = f"rejected by {decision.name}: {decision.reason}"
    return Failed(name="Rejected", message=f"{by}; kept in {folder}")
