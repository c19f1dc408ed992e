"""From confidential data with holes to a published set of synthetic data.

Run ``python -m flows.release`` for the release of boys, or ``--spec FILE`` for your own.
"""

# No deferred annotations here: a worker loads this file by its path, and Prefect must find the types.
import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from prefect import Task, flow, unmapped
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed, State
from prefect.task_runners import ThreadPoolTaskRunner

from flows.command_line import FAILED, REFUSED, read_specification, take_seed
from flows.terminal import show_stages_only, summarise
from synth_tasks.errors import SynthError, ValidationError
from synth_tasks.release.bundle import Published
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stages import load_source
from synth_tasks.release.workspace import DatasetRef, check_places, workspace_root
from synth_tasks.tasks.artifacts import Progress, show_estimates, show_gate, show_release
from synth_tasks.tasks.assess import assess_set, assess_together
from synth_tasks.tasks.context import RunContext, find_signer, prepare
from synth_tasks.tasks.impute import CompletedData, impute
from synth_tasks.tasks.ingest import Ingested, ingest
from synth_tasks.tasks.pool import AnalysisRef, pool_analysis
from synth_tasks.tasks.publish import draw_picture, find_published, publish, purge
from synth_tasks.tasks.synthesize import draw_set, fit
from synth_tasks.tasks.validate import apply_gate, check_policy, refuse_failures, validate

N_STAGES = 11


@flow(
    name="release",
    flow_run_name="release-{spec.dataset.name}",
    task_runner=ThreadPoolTaskRunner(max_workers=4),
    persist_result=False,
)
def release(spec: ReleaseSpec, to: str | None = None) -> State:
    """Publish multiply imputed synthetic versions of a confidential data set.

    The data are completed, models are fitted to them once, synthetic sets are drawn, utility and
    disclosure are measured, and only if every critical check of the policy is met the sets appear under
    `<to>/<dataset>/<version>`. A run with unchanged data, specification and engine publishes nothing.

    Args:
        spec: What to release and how; the same keys as in the YAML file.
        to: Folder of all releases; `publish.to` of the specification if not given.
    """
    try:
        check_policy(spec)
        context = prepare(spec, to)
        with context.workspace().lock():
            return _release(context, Progress(spec, N_STAGES, get_run_logger()))
    except SynthError as error:
        return Failed(message=str(error))
    except TimeoutError:
        minutes = spec.run.timeout_minutes
        return Failed(
            message=f"a task took longer than run.timeout_minutes ({minutes:g}): raise it"
        )


def _release(context: RunContext, progress: Progress) -> State:
    ingested = _limited(ingest, context.spec)(context)
    ref, n_missing = ingested.ref, sum(ingested.missing_values.values())
    progress.finish(f"ingested {ref.rows} rows × {ref.columns} columns, {n_missing} missing values")

    published = find_published(context, ingested.fingerprint)
    if published is not None:
        return _nothing_new(context, published, progress)

    built = build(context, ingested, progress)
    picture = draw_picture(context, built.sets)
    purge(context)
    sets = built.sets
    size = f"{len(sets)} synthetic sets of {sets[0].rows} rows and {sets[0].columns} columns"
    show_release(context.spec, built.published, built.gate, picture, size)
    line = f"published {built.published.folder}"
    progress.finish(line)
    return _completed(line, built.published)


@dataclass(frozen=True)
class Built:
    """A release that was made, and what it was made of."""

    published: Published
    sets: list[DatasetRef]
    gate: SuiteResult


def build(context: RunContext, ingested: Ingested, progress: Progress) -> Built:
    """Go from the data as they arrived to a published release.

    Args:
        context: The release.
        ingested: The data.
        progress: Is told of every stage.

    Returns:
        The release. Intermediate files are still in the workspace.
    """
    completed, results = _complete(context, ingested, progress)
    fitted, sets = _synthesise(context, completed.refs, progress)
    ledger, verdicts = _assess(context, completed.refs, sets, progress)
    results += verdicts
    results.append(_judge(context, ledger, results, progress))
    analyses = _analyse(context, completed.refs, sets, progress)

    publish_bundle = _limited(publish, context.spec)
    published = publish_bundle(
        context, ingested, completed, fitted, sets, ledger, results, analyses
    )
    return Built(published, sets, results[-1])


def _nothing_new(context: RunContext, published: Published, progress: Progress) -> State:
    moved = context.releases().point_latest(published.version)
    also = "; `latest` names it again" if moved else ""
    line = f"nothing new: {published.folder} has the same data, specification and engine{also}"
    purge(context)
    progress.complete(line)
    return _completed(line, published)


def _complete(
    context: RunContext, ingested: Ingested, progress: Progress
) -> tuple[CompletedData, list[SuiteResult]]:
    """Judge the data as they arrived, fill their holes, and judge them again."""
    source = validate(context, ingested.ref, "source", "the data as they arrived")
    _require([source])
    progress.finish(f"source suite met: {len(source.checks)} checks")
    completed = _limited(impute, context.spec)(context, ingested.ref)
    n_completed = len(completed.refs)
    times = "" if n_completed == 1 else f"{n_completed} times "
    progress.finish(f"imputed {times}in {context.spec.imputation.maxit} sweeps")
    verdicts = [
        validate(context, ref, "completed", _subject(number, n_completed))
        for number, ref in enumerate(completed.refs, start=1)
    ]
    _require(verdicts)
    progress.finish(f"completed suite met: {len(verdicts[0].checks)} checks")
    return completed, [source, *verdicts]


def _subject(number: int, count: int) -> str:
    return "the completed data" if count == 1 else f"the completed data, imputation {number}"


def _synthesise(
    context: RunContext, completed: list[DatasetRef], progress: Progress
) -> tuple[list[DatasetRef], list[DatasetRef]]:
    """Fit once for each completed data set, draw every set."""
    fitted = [_limited(fit, context.spec)(context, ref) for ref in completed]
    progress.finish("fitted the synthesizer")
    each = context.spec.synthesis.m
    imputations = [i for i in range(1, len(completed) + 1) for _ in range(each)]
    numbers = list(range(1, len(imputations) + 1))
    synthesizers = [fitted[i - 1] for i in imputations]
    sets = draw_set.map(unmapped(context), synthesizers, imputations, numbers).result()
    progress.finish(f"drew {len(sets)} sets of {sets[0].rows} rows")
    return fitted, sets


def _assess(
    context: RunContext, completed: list[DatasetRef], sets: list[DatasetRef], progress: Progress
) -> tuple[pd.DataFrame, list[SuiteResult]]:
    """Measure every set and all together; judge every set by its suite."""
    numbers = list(range(1, len(sets) + 1))
    subjects = [f"set {number}" for number in numbers]
    real = [completed[(number - 1) // context.spec.synthesis.m] for number in numbers]
    by_set = assess_set.map(unmapped(context), real, sets, numbers)
    verdicts = validate.map(unmapped(context), sets, unmapped("synthetic"), subjects)
    ledger = assess_together(context, completed[0], sets, by_set.result())
    progress.finish(f"measured {len(ledger)} figures of utility and disclosure")
    results = verdicts.result()
    _require(results)
    progress.finish(f"synthetic suite met by all {len(sets)} sets")
    return ledger, results


def _judge(
    context: RunContext, ledger: pd.DataFrame, results: list[SuiteResult], progress: Progress
) -> SuiteResult:
    """Let the policy decide; stop the run if it refuses."""
    gate = apply_gate(context, ledger)
    show_gate(context.spec, [*results, gate])
    refuse_failures(gate)
    n_warnings = len(gate.failures("warning"))
    progress.finish(f"gate passed: {len(gate.checks)} checks, {n_warnings} warnings")
    return gate


def _analyse(
    context: RunContext, completed: list[DatasetRef], sets: list[DatasetRef], progress: Progress
) -> list[AnalysisRef]:
    """Fit every analysis to every set and pool."""
    analyses = pool_analysis.map(
        unmapped(context), unmapped(completed), unmapped(sets), list(context.spec.analysis)
    ).result()
    show_estimates(context.spec, analyses)
    progress.finish(f"pooled {len(analyses)} analyses")
    return analyses


def _limited(task: Task, spec: ReleaseSpec) -> Task:
    """Stop a task that hangs; only tasks called directly can be interrupted."""
    return task.with_options(timeout_seconds=spec.run.timeout_minutes * 60)


def _completed(line: str, published: Published) -> State:
    data = {"version": published.version, "folder": str(published.folder), "new": published.new}
    return Completed(message=line, data=data)


def _require(suites: list[SuiteResult]) -> None:
    """Stop the run if any suite so far has a critical failure."""
    failures = [
        f"{check.description} ({result.subject}: {check.detail})"
        for result in suites
        for check in result.failures("critical")
    ]
    if failures:
        raise ValidationError(f"{len(failures)} critical check(s) failed: {'; '.join(failures)}")


# --- command line ---------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Make a release from the command line; see ``--help``.

    Returns:
        Exit code: 0 published or nothing new, 1 the release was refused or failed, 2 wrong input.
    """
    options = _parse(arguments)
    started = time.monotonic()
    try:
        spec = read_specification(options.spec, "boys.yaml")
        take_seed(options.seed)
        preflight(spec, options.to)
    except SynthError as error:
        sys.stderr.write(f"error: {error}\n")
        return REFUSED
    show_stages_only()
    sys.stdout.write(f"release of {spec.dataset.name}: starting Prefect\n")
    sys.stdout.flush()
    runner = ThreadPoolTaskRunner(max_workers=spec.run.workers)
    state = release.with_options(task_runner=runner)(spec, options.to, return_state=True)
    elapsed = time.monotonic() - started
    if not state.is_completed():
        sys.stderr.write(f"error: {state.message}\n")
        return FAILED
    result = state.result()
    if result["new"]:
        sys.stdout.write(summarise(Path(result["folder"])))
    sys.stdout.write(f"{state.message} ({elapsed:.1f} s)\n")
    return 0


def preflight(spec: ReleaseSpec, to: str | None = None) -> None:
    """Find wrong input before anything is started or written."""
    check_policy(spec)
    check_places(workspace_root(), Path(to or spec.publish.to))
    if spec.publish.signing_key is not None:  # a Secret block needs a Prefect server
        find_signer(spec)
    load_source(spec)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m flows.release",
        description="Publish multiply imputed synthetic versions of a confidential data set.",
    )
    parser.add_argument("--spec", metavar="FILE", help="release specification (default: boys)")
    parser.add_argument("--to", metavar="DIR", help="folder of all releases (default: publish.to)")
    parser.add_argument("--seed", metavar="N", help="seed of all random numbers; kept secret")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
