"""Steps that a release takes whether its table is whole or in parts."""

from collections.abc import Sequence

from prefect import Task
from prefect.states import Completed, State

from synth_tasks.errors import ValidationError
from synth_tasks.release.publication import point_latest
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stores import Published
from synth_tasks.tasks.artifacts import Progress
from synth_tasks.tasks.context import RunContext, find_signer
from synth_tasks.tasks.publish import purge

AWAITING = "AwaitingApproval"


def limited(task: Task, spec: ReleaseSpec) -> Task:
    """Stop a task that hangs; only tasks called directly can be interrupted."""
    return task.with_options(timeout_seconds=spec.run.timeout_minutes * 60)


def completed_state(line: str, published: Published) -> State:
    """End a run that has published, or found nothing new."""
    data = {"version": published.version, "folder": published.location, "new": published.new}
    return Completed(message=line, data=data)


def nothing_new(context: RunContext, published: Published, progress: Progress) -> State:
    """End a run whose release is there already."""
    moved = point_latest(context.releases(), published.version, find_signer(context.spec))
    also = "; `latest` names it again" if moved else ""
    line = f"nothing new: {published.location} has the same data, specification and engine{also}"
    purge(context)
    progress.complete(line)
    return completed_state(line, published)


def require(suites: Sequence[SuiteResult]) -> None:
    """Stop the run if any suite so far has a critical failure."""
    failures = [
        f"{check.description} ({result.subject}: {check.detail})"
        for result in suites
        for check in result.failures("critical")
    ]
    if failures:
        raise ValidationError(f"{len(failures)} critical check(s) failed: {'; '.join(failures)}")
