"""Is what is learnt from the synthetic sets true? A simulation study, as in Volker & Vink (2021).

Run ``python -m flows.study`` for the study of the paper, or ``--spec FILE`` for your own release.
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
    read_beforehand,
    read_specification,
    run_and_show,
    take_seed,
)
from flows.parameters import SpecParameter
from flows.parsers import make_parser
from flows.runners import do_by, task_runner
from flows.terminal import progress_bar, summarise_study
from synth_tasks.errors import SynthError
from synth_tasks.failures import describe_failure
from synth_tasks.release.memory import check_memory, check_source_memory
from synth_tasks.release.spec import ReleaseSpec, change_spec
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.tasks.artifacts import Progress
from synth_tasks.tasks.context import RunContext, prepare
from synth_tasks.tasks.impute import impute
from synth_tasks.tasks.ingest import ingest
from synth_tasks.tasks.publish import purge
from synth_tasks.tasks.study import (
    Chunk,
    named_folder,
    plan_study,
    results_folder,
    run_chunk,
    sum_up,
)
from synth_tasks.tasks.watchdog import guarded

N_STAGES = 4


@flow(
    name="study",
    flow_run_name="study-{spec.dataset.name}",
    persist_result=False,
)
def study(spec: SpecParameter, to: str | None = None) -> State:
    """Prove by simulation whether estimates from the synthetic sets are valid.

    The completed data take the part of the population. Samples are drawn from it with replacement;
    every sample is synthesised and analysed, and bias, coverage of the intervals and linkage of rows
    are compared with what the samples themselves give.

    Args:
        spec: What is released and how, and `study.replicates`, the number of samples: the path of a
            specification file, or all its keys.
        to: Folder of the results. They tell estimates from the real data: without it they stay in the
            private workspace, unless the specification holds a seed, which says that data are public.
    """
    try:
        context = prepare(spec, to)
        folder = results_folder(context, to)
        with context.workspace().lock(), guarded(spec.run.timeout_minutes) as tell:
            return do_by(spec.run, lambda: _study(context, folder, tell))
    except Exception as error:
        return Failed(message=describe_failure(error, "study"))


def _study(context: RunContext, folder: Path, tell: Callable[[str], None]) -> State:
    progress = Progress(context.spec, N_STAGES, get_run_logger(), tell)
    check_source_memory(context.spec)
    ingested = ingest(context)
    check_memory(context.spec, ingested.rows, ingested.columns)
    population = impute(context, ingested.ref).refs[0]
    progress.finish(f"population of {population.rows} rows × {population.columns} columns")
    chunks = plan_study(context, population)
    replicates = context.spec.study.replicates
    progress.finish(f"{replicates} replicates in {len(chunks)} chunks")
    found = _run_chunks(context, population, chunks, progress)
    progress.finish(f"ran {replicates} replicates")
    summary = sum_up(context, population, found, str(folder))
    purge(context)
    line = f"studied {replicates} replicates: {folder}"
    progress.finish(line)
    return Completed(message=line, data={"folder": str(folder), **summary["found"]})


def _run_chunks(
    context: RunContext, population: DatasetRef, chunks: list[Chunk], progress: Progress
) -> list[DatasetRef]:
    futures = run_chunk.map(unmapped(context), unmapped(population), chunks)
    sizes = {f.task_run_id: len(c.numbers) for f, c in zip(futures, chunks, strict=True)}
    total, done = sum(sizes.values()), 0
    with progress_bar("replicates", total) as advance:
        for future in as_completed(list(futures)):
            size = sizes[future.task_run_id]
            done += size
            advance(size)
            progress.part(done / total, f"{done} of {total} replicates")
    return futures.result()


# --- command line ---------------------------------------------------------------------------------


@interruptible
def main(arguments: list[str] | None = None) -> int:
    """Run a study from the command line; see ``--help``.

    Returns:
        Exit code: 0 done, 1 the study failed, 2 wrong input.
    """
    options = _parse(arguments)
    started = time.monotonic()
    try:
        spec = _specify(options)
        if options.to is not None:
            named_folder(options.to, "study")
        take_seed(options.seed)
        read_beforehand(spec)
        task_runner(spec.run)
    except SynthError as error:
        sys.stderr.write(f"error: {error}\n")
        return REFUSED
    return run_and_show(study, spec, options.to, summarise_study, started)


def _specify(options: argparse.Namespace) -> ReleaseSpec:
    spec = read_specification(options.spec, "study.yaml")
    changes = {
        "study": {"replicates": options.replicates},
        "synthesis": {"conditioning": options.conditioning},
        "run": {"runner": options.runner, "workers": options.workers},
    }
    return change_spec(spec, changes)


EXAMPLES = {
    "the study of Volker & Vink (2021), 1000 replicates": "",
    "a quick look at your own release": "--spec patients.yaml --replicates 100",
    "the same work by four processes": "--spec patients.yaml --runner processes --workers 4",
    "the scheme of R's mice, for comparison": "--conditioning observed",
}


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = make_parser(
        "flows.study",
        "Prove by simulation whether estimates from the synthetic sets are valid.",
        EXAMPLES,
        "0 the study is done; 1 it failed; 2 wrong input, nothing was started",
    )
    parser.add_argument("--spec", metavar="FILE", help="specification (default: that of the paper)")
    parser.add_argument(
        "--replicates", metavar="N", type=int, help="samples (default: as specified)"
    )
    parser.add_argument(
        "--to", metavar="DIR", help="folder of the results (default: studies/<name>)"
    )
    parser.add_argument(
        "--conditioning",
        choices=["synthetic", "observed"],
        help="observed: the scheme of R's mice, for comparison",
    )
    add_run_arguments(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
