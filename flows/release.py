"""From confidential data with holes to a published set of synthetic data.

Run ``python -m flows.release`` for the release of boys, or ``--spec FILE`` for your own.
"""

# No deferred annotations here: a worker loads this file by its path, and Prefect must find the types.
import argparse
import sys
import time
from collections.abc import Callable
from functools import partial

import pandas as pd
from prefect import flow
from prefect.logging import get_run_logger
from prefect.states import Failed, State

from flows.approval import take_decision
from flows.command_line import (
    FAILED,
    REFUSED,
    interruptible,
    read_specification,
    start_prefect,
    take_seed,
)
from flows.conclusion import conclude, judge
from flows.first_steps import draft
from flows.many import map_sets
from flows.parameters import SpecParameter
from flows.parsers import make_parser
from flows.partitioned import release_parts
from flows.runners import do_by, task_runner
from flows.steps import AWAITING, limited, nothing_new, require
from flows.terminal import or_why_not, show_preview, stage_progress, summarise
from synth_tasks.errors import SynthError, printable
from synth_tasks.failures import describe_failure
from synth_tasks.release.memory import check_memory, check_parts_memory, check_source_memory
from synth_tasks.release.preview import Preview, preview_release
from synth_tasks.release.preview_parts import preview_parts
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stages import load_source
from synth_tasks.release.survey import survey_source
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.tasks.artifacts import Progress, show_estimates
from synth_tasks.tasks.assess import assess_control, assess_set, assess_together
from synth_tasks.tasks.boundary import redacted
from synth_tasks.tasks.connections import database_url
from synth_tasks.tasks.context import RunContext, prepare
from synth_tasks.tasks.control import ControlledSet, control_set
from synth_tasks.tasks.impute import CompletedData, impute
from synth_tasks.tasks.ingest import Ingested, ingest
from synth_tasks.tasks.made import MadeTable
from synth_tasks.tasks.places import find_places, find_target
from synth_tasks.tasks.pool import AnalysisRef, pool_analysis
from synth_tasks.tasks.publish import find_published
from synth_tasks.tasks.synthesize import draw_set, fit
from synth_tasks.tasks.validate import check_policy, check_targets, validate
from synth_tasks.tasks.watchdog import guarded

UNDECIDED = 3
STAGES = (
    "reading the data",
    "checking the data as they arrived",
    "filling holes",
    "checking the completed data",
    "fitting models",
    "drawing sets",
    "measuring utility and disclosure",
    "checking the sets",
    "asking the gate",
    "pooling analyses",
    "publishing",
)


@flow(
    name="release",
    flow_run_name="release-{spec.dataset.name}",
    persist_result=False,
)
def release(spec: SpecParameter, to: str | None = None) -> State:
    """Publish multiply imputed synthetic versions of a confidential data set.

    The data are completed, models are fitted to them once, synthetic sets are drawn, utility and
    disclosure are measured, and only if every critical check of the policy is met the sets appear under
    `<to>/<dataset>/<version>`. A run with unchanged data, specification and engine publishes nothing.

    Args:
        spec: What to release and how: the path of a specification file, or all its keys.
        to: Folder or URL of all releases, or `block:name` of a release store; `publish.to` of the
            specification if not given.
    """
    try:
        check_policy(spec)
        context = prepare(spec, to)
        work = _release if spec.partition is None else release_parts
        with context.workspace().lock(), guarded(spec.run.timeout_minutes) as tell:
            progress = partial(Progress, spec, len(STAGES), get_run_logger(), tell)
            return do_by(spec.run, lambda: work(context, progress()))
    except TimeoutError:
        minutes = spec.run.timeout_minutes
        return Failed(
            message=f"a task took longer than run.timeout_minutes ({minutes:g}): raise it"
        )
    except Exception as error:
        return Failed(message=describe_failure(error, "release"))


def _release(context: RunContext, progress: Progress) -> State:
    ingested = read_data(context, progress)
    published = find_published(context, ingested.fingerprint)
    if published is not None:
        return nothing_new(context, published, progress)
    return conclude(context, make(context, ingested, progress), progress)


def read_data(context: RunContext, progress: Progress) -> Ingested:
    """Read the data as they arrived.

    Args:
        context: The release.
        progress: Is told when it is done.
    """
    check_source_memory(context.spec)
    ingested = limited(ingest, context.spec)(context)
    ref, n_missing = ingested.ref, sum(ingested.missing_values.values())
    progress.finish(f"ingested {ref.rows} rows × {ref.columns} columns, {n_missing} missing values")
    return ingested


def make(context: RunContext, ingested: Ingested, progress: Progress) -> MadeTable:
    """Go from the data as they arrived to sets that the gate lets pass.

    Args:
        context: The release.
        ingested: The data.
        progress: Is told of every stage.
    """
    # Databases and files of statistical programs do not tell their size before.
    check_memory(context.spec, ingested.rows, ingested.columns)
    completed, results = _complete(context, ingested, progress)
    raw = ingested.ref
    fitted, controlled = _synthesise(context, raw, completed.refs, progress)
    analyses = _analyse(context, controlled, progress)
    ledger, verdicts = _assess(context, raw, completed.refs, controlled, analyses, progress)
    results += verdicts
    results.append(judge(context, ledger, results, progress))
    return MadeTable(ingested, completed, fitted, controlled, ledger, results, analyses)


def _complete(
    context: RunContext, ingested: Ingested, progress: Progress
) -> tuple[CompletedData, list[SuiteResult]]:
    """Judge the data as they arrived, fill their holes, and judge them again."""
    source = validate(context, ingested.ref, "source", "the data as they arrived")
    require([source])
    progress.finish(f"source suite met: {len(source.checks)} checks")
    completed = limited(impute, context.spec)(context, ingested.ref)
    n_completed = len(completed.refs)
    times = "" if n_completed == 1 else f"{n_completed} times "
    progress.finish(f"imputed {times}in {context.spec.imputation.maxit} sweeps")
    subjects = [_subject(number, n_completed) for number in range(1, n_completed + 1)]
    columns = (completed.refs, ["completed"] * n_completed, subjects)
    verdicts = map_sets(validate, context, *columns).result()
    require(verdicts)
    progress.finish(f"completed suite met: {len(verdicts[0].checks)} checks")
    return completed, [source, *verdicts]


def _subject(number: int, count: int) -> str:
    return "the completed data" if count == 1 else f"the completed data, imputation {number}"


def _synthesise(
    context: RunContext, raw: DatasetRef, completed: list[DatasetRef], progress: Progress
) -> tuple[list[DatasetRef], list[ControlledSet]]:
    """Fit once for each completed data set, draw every set, and control what it discloses."""
    fitted = map_sets(fit, context, completed, [raw] * len(completed)).result()
    progress.finish("fitted the synthesizer")
    each = context.spec.synthesis.m
    imputations = [i for i in range(1, len(completed) + 1) for _ in range(each)]
    numbers = list(range(1, len(imputations) + 1))
    synthesizers = [fitted[i - 1] for i in imputations]
    sets = map_sets(draw_set, context, synthesizers, imputations, numbers).result()
    real = [completed[i - 1] for i in imputations]
    controlled = map_sets(
        control_set, context, real, synthesizers, imputations, numbers, sets
    ).result()
    steps = f", {len(context.spec.sdc)} steps of disclosure control" if context.spec.sdc else ""
    progress.finish(f"drew {len(sets)} sets of {sets[0].rows} rows{steps}")
    return fitted, controlled


def _assess(
    context: RunContext,
    raw: DatasetRef,
    completed: list[DatasetRef],
    controlled: list[ControlledSet],
    analyses: list[AnalysisRef],
    progress: Progress,
) -> tuple[pd.DataFrame, list[SuiteResult]]:
    """Measure every set and all together; judge every set by its suite."""
    sets = [each.ref for each in controlled]
    numbers = list(range(1, len(sets) + 1))
    subjects = [f"set {number}" for number in numbers]
    by_set = map_sets(assess_set, context, controlled, numbers)
    with_control = assess_control.submit(context, completed[0], raw)
    verdicts = map_sets(validate, context, sets, ["synthetic"] * len(sets), subjects)
    ledger = assess_together(context, controlled, by_set.result(), with_control.result(), analyses)
    progress.finish(f"measured {len(ledger)} figures of utility and disclosure")
    results = verdicts.result()
    require(results)
    progress.finish(f"synthetic suite met by all {len(sets)} sets")
    return ledger, results


def _analyse(
    context: RunContext, controlled: list[ControlledSet], progress: Progress
) -> list[AnalysisRef]:
    """Fit every analysis to every set and pool."""
    sets = [each.ref for each in controlled]
    completed = [each.real for each in controlled[:: context.spec.synthesis.m]]
    wanted = context.spec.analysis
    n = len(wanted)
    analyses = map_sets(pool_analysis, context, [completed] * n, [sets] * n, wanted).result()
    show_estimates(context.spec, analyses)
    progress.finish(f"pooled {len(analyses)} analyses")
    return analyses


# --- command line ---------------------------------------------------------------------------------


@interruptible
def main(arguments: list[str] | None = None) -> int:
    """Make a release from the command line; see ``--help``.

    Returns:
        Exit code: 0 published or nothing new, 1 the release was refused or failed, 2 wrong input,
        3 a steward has to decide.
    """
    options = _parse(arguments)
    started = time.monotonic()
    try:
        if options.init is not None:
            sys.stdout.write(draft(options.init, options.to, options.dry_run))
            return 0
        spec = read_specification(options.spec, "boys.yaml")
        take_seed(options.seed)
        take_decision(options.approve, options.reject, options.reason)
        preview = preflight(spec, options.to, dry_run=options.dry_run)
        task_runner(spec.run)  # what it needs is installed
        if options.dry_run:
            sys.stdout.write(show_preview(preview()))
            sys.stdout.write(CHECKED)
            return 0
    except SynthError as error:
        sys.stderr.write(f"error: {error}\n")
        return REFUSED
    if not start_prefect(f"release of {spec.dataset.name}"):
        return REFUSED
    with stage_progress(STAGES):
        state = release(spec, options.to, return_state=True)
    elapsed = time.monotonic() - started
    if state.name == AWAITING:
        sys.stdout.write(f"{printable(state.message)}\n")
        return UNDECIDED
    if not state.is_completed():
        sys.stderr.write(f"error: {printable(state.message)}\n")
        return FAILED
    result = state.result()
    if result["new"]:
        sys.stdout.write(or_why_not(lambda: _summarise(result["folder"], options.to, spec)))
    sys.stdout.write(f"{printable(state.message)} ({elapsed:.1f} s)\n")
    return 0


def _summarise(folder: str, to: str | None, spec: ReleaseSpec) -> str:
    return summarise(folder, find_target(to or spec.publish.to).options)


@redacted
def preflight(
    spec: ReleaseSpec, to: str | None = None, *, dry_run: bool = False
) -> Callable[[], Preview]:
    """Find wrong input before anything is started or written; return what plans the release."""
    check_policy(spec)
    find_places(spec, to)
    if spec.partition is not None:
        survey = survey_source(spec)
        check_targets(spec, survey.schema)
        if not dry_run:
            check_parts_memory(spec, survey.division.sizes.tolist(), survey.schema)
        return partial(preview_parts, spec, survey)
    if not dry_run:
        check_source_memory(spec)
    table = load_source(spec, database_url(spec))
    check_targets(spec, table.schema)
    if not dry_run:
        check_memory(spec, *table.matrix.shape)
    return partial(preview_release, spec, table)


CHECKED = (
    "checked: policy, places, columns, models on up to 1000 rows, analyses; nothing was written\n"
    "next: the same without --dry-run publishes what the gate lets pass\n"
)
EXAMPLES = {
    "the example, growth of Dutch boys": "",
    "begin with your own data": "--init patients.csv",
    "see what would be done, and what it costs": "--spec patients.yaml --dry-run",
    "publish": "--spec patients.yaml --to releases",
}


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = make_parser(
        "flows.release",
        "Publish multiply imputed synthetic versions of a confidential data set.",
        EXAMPLES,
        "0 published, or nothing new; 1 the release failed or the gate refused it, nothing was "
        "published; 2 wrong input, nothing was started; 3 a steward has to decide; 130 interrupted, "
        "143 terminated, 137 stopped after run.timeout_minutes: the next run goes on",
    )
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--spec", metavar="FILE", help="release specification (default: boys)")
    begin.add_argument(
        "--init",
        metavar="DATA",
        help="draft a specification from a data file (csv, parquet, arrow, SPSS, Stata, SAS); nothing "
        "is published",
    )
    parser.add_argument(
        "--to",
        metavar="DIR",
        help="folder, URL or block:NAME of all releases (default: publish.to); with --init folder of "
        "the draft (default: .)",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="write nothing: check everything, show plan and predicted cost; with --init the draft",
    )
    parser.add_argument("--seed", metavar="N", help="seed of all random numbers; kept secret")
    decide = parser.add_mutually_exclusive_group()
    decide.add_argument(
        "--approve", metavar="NAME", help="publish though a check warns: who decides"
    )
    decide.add_argument("--reject", metavar="NAME", help="keep the sets in quarantine: who decides")
    parser.add_argument("--reason", metavar="TEXT", help="why it is approved or rejected")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
