"""Which settings give the least away and are still valid? The risk-utility frontier.

Run ``python -m flows.frontier`` for boys, or ``--spec FILE`` for your own release.
"""

# No deferred annotations here: a worker loads this file by its path, and Prefect must find the types.
import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from prefect import flow, unmapped
from prefect.futures import as_completed
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed, State

from flows.command_line import (
    REFUSED,
    add_run_arguments,
    interruptible,
    read_specification,
    run_and_show,
    take_seed,
)
from flows.parameters import SpecParameter
from flows.parsers import make_parser
from flows.runners import do_by, task_runner
from flows.terminal import progress_bar, summarise_frontier
from synth_tasks.errors import SynthError
from synth_tasks.failures import describe_failure
from synth_tasks.release.memory import check_memory, check_source_memory
from synth_tasks.release.spec import ReleaseSpec, change_spec
from synth_tasks.release.stages import check_source, load_source
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.study.settings import Setting, apply_setting, list_settings
from synth_tasks.tasks.artifacts import Progress
from synth_tasks.tasks.boundary import redacted
from synth_tasks.tasks.connections import database_url
from synth_tasks.tasks.context import RunContext, prepare
from synth_tasks.tasks.frontier import draw_frontier, measure, plan_frontier
from synth_tasks.tasks.impute import impute
from synth_tasks.tasks.ingest import ingest
from synth_tasks.tasks.publish import purge
from synth_tasks.tasks.study import named_folder, results_folder
from synth_tasks.tasks.watchdog import guarded

N_STAGES = 3


@flow(
    name="frontier",
    flow_run_name="frontier-{spec.dataset.name}",
    persist_result=False,
)
def frontier(spec: SpecParameter, to: str | None = None) -> State:
    """Compare settings of a synthesis by their risk and their utility, and recommend one.

    For each combination of `frontier.grid` the sets are drawn and measured as for a release, and their
    validity is judged by samples of the completed data, the same for all. Nothing is published.

    Args:
        spec: What is released and how, and `frontier.grid`, the settings: the path of a specification
            file, or all its keys.
        to: Folder of the results. They tell figures of the real data: without it they stay in the
            private workspace, unless the specification holds a seed, which says that data are public.
    """
    try:
        settings = check_settings(spec)
        context = prepare(spec, to)
        folder = results_folder(context, to, "frontier")
        with context.workspace().lock(), guarded(spec.run.timeout_minutes) as tell:
            return do_by(spec.run, lambda: _frontier(context, settings, folder, tell))
    except Exception as error:
        return Failed(message=describe_failure(error, "frontier"))


def _frontier(
    context: RunContext, settings: list[Setting], folder: Path, tell: Callable[[str], None]
) -> State:
    progress = Progress(context.spec, N_STAGES, get_run_logger(), tell)
    ingested = ingest(context)
    population = impute(context, ingested.ref).refs[0]
    progress.finish(f"population of {population.rows} rows × {population.columns} columns")
    figures = _measure(context, population, settings, progress)
    progress.finish(f"measured {len(settings)} settings")
    sentence = draw_frontier(context, settings, figures, str(folder))
    purge(context)
    progress.finish(sentence)
    return Completed(message=sentence, data={"folder": str(folder)})


def _measure(
    context: RunContext, population: DatasetRef, settings: list[Setting], progress: Progress
) -> list[dict[str, float]]:
    """Measure the settings in chunks; return the figures of each."""
    chunks = plan_frontier(context, population, settings)
    futures = measure.map(unmapped(context), unmapped(population), chunks)
    sizes = {f.task_run_id: len(chunk) for f, chunk in zip(futures, chunks, strict=True)}
    done = 0
    with progress_bar("settings", len(settings)) as advance:
        for future in as_completed(list(futures)):
            done += sizes[future.task_run_id]
            advance(sizes[future.task_run_id])
            progress.part(done / len(settings), f"{done} of {len(settings)} settings")
    return [figures for chunk in futures.result() for figures in chunk]


@redacted
def check_settings(spec: ReleaseSpec) -> list[Setting]:
    """Refuse a setting that is not allowed before any is measured.

    Args:
        spec: The specification.

    Returns:
        All settings.
    """
    settings = list_settings(spec)
    changed = [apply_setting(spec, setting) for setting in settings]
    largest = max(changed, key=lambda each: each.n_sets)
    check_source_memory(largest)
    table = load_source(changed[0], database_url(spec))
    check_memory(largest, *table.matrix.shape)
    for other in changed[1:]:
        check_source(other, table)
    return settings


# --- command line ---------------------------------------------------------------------------------


@interruptible
def main(arguments: list[str] | None = None) -> int:
    """Compare settings from the command line; see ``--help``.

    Returns:
        Exit code: 0 done, 1 it failed, 2 wrong input.
    """
    options = _parse(arguments)
    started = time.monotonic()
    try:
        spec = change_spec(
            read_specification(options.spec, "boys.yaml"),
            {
                "frontier": {"replicates": options.replicates},
                "run": {"runner": options.runner, "workers": options.workers},
            },
        )
        if options.to is not None:
            named_folder(options.to, "frontier")
        take_seed(options.seed)
        check_settings(spec)
        task_runner(spec.run)
    except SynthError as error:
        sys.stderr.write(f"error: {error}\n")
        return REFUSED
    return run_and_show(frontier, spec, options.to, summarise_frontier, started)


EXAMPLES = {
    "eight settings for boys": "",
    "those of frontier.grid for your own release": "--spec patients.yaml --to frontier",
    "a quick look": "--spec patients.yaml --replicates 20",
}


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = make_parser(
        "flows.frontier",
        "Compare settings of a synthesis by their risk and their utility.",
        EXAMPLES,
        "0 the settings are compared; 1 it failed; 2 wrong input, nothing was started",
    )
    parser.add_argument("--spec", metavar="FILE", help="specification (default: boys)")
    parser.add_argument("--to", metavar="DIR", help="folder of results (default: frontiers/<name>)")
    parser.add_argument("--replicates", metavar="N", type=int, help="samples for each setting")
    add_run_arguments(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
