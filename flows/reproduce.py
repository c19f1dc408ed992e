"""Make a published release again, and say whether the same bytes come out.

Run ``python -m flows.reproduce RELEASE --spec FILE`` where the data and the workspace of the release
are.
"""

# No deferred annotations here: a worker loads this file by its path, and Prefect must find the types.
import argparse
import sys
from collections.abc import Callable
from functools import partial

from prefect import flow
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed, State

from flows import partitioned, release
from flows.command_line import (
    FAILED,
    REFUSED,
    interruptible,
    read_beforehand,
    read_specification,
    start_prefect,
    take_seed,
)
from flows.conclusion import put_out
from flows.parameters import SpecParameter
from flows.parsers import make_parser
from flows.runners import do_by, task_runner
from flows.terminal import stage_progress
from synth_tasks.errors import SynthError, printable
from synth_tasks.failures import describe_failure
from synth_tasks.release.reproduction import compare_files
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.tasks.artifacts import Progress, show_differences
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.ingest import Ingested
from synth_tasks.tasks.made import Made
from synth_tasks.tasks.part_ingest import IngestedParts
from synth_tasks.tasks.reproduce import (
    Original,
    elsewhere,
    find_original,
    open_seed,
    origins_differ,
)
from synth_tasks.tasks.validate import check_policy
from synth_tasks.tasks.watchdog import guarded

STAGES = (*release.STAGES[:-1], "comparing")


@flow(
    name="reproduce",
    flow_run_name="reproduce-{spec.dataset.name}",
    persist_result=False,
)
def reproduce(published: str, spec: SpecParameter) -> State:
    """Make a published release again in a private folder and compare it to the byte.

    The specification, data, policy, seed, engine and packages are compared with the manifest first.
    Then the release is made again, whatever was found, and every file that differs is named with its
    columns. The run fails if any file differs.

    Args:
        published: Folder of the release on the machine of the worker, or `latest`.
        spec: The specification of the release: the path of its file, or all its keys.
    """
    try:
        check_policy(spec)
        original = find_original(published, spec)
        with elsewhere(original, spec) as context, guarded(spec.run.timeout_minutes) as tell:
            origins, files = do_by(spec.run, partial(_repeat, context, original, tell))
        show_differences(spec, original.folder.name, [*origins, *files])
    except Exception as error:
        return Failed(message=describe_failure(error, "reproduction"), data=[])
    if files:
        return Failed(message=_summary(original, origins, files), data=[*origins, *files])
    also = f", although {len(origins)} settings differ" if origins else ""
    return Completed(message=f"identical: {original.folder}{also}", data=origins)


def _repeat(
    context: RunContext, original: Original, tell: Callable[[str], None]
) -> tuple[list[str], list[str]]:
    """Return what differs in settings and in files."""
    progress = Progress(context.spec, len(STAGES), get_run_logger(), tell)
    read = release.read_data if context.spec.partition is None else partitioned.read_parts
    ingested = read(context, progress)
    origins = origins_differ(context, ingested, original)
    return origins, _compare(context, ingested, original, progress)


def _compare(
    context: RunContext, ingested: Ingested | IngestedParts, original: Original, progress: Progress
) -> list[str]:
    """Make the release again and name the files that differ."""
    try:
        made: Made
        if isinstance(ingested, IngestedParts):
            made = partitioned.make_parts(context, ingested, progress)
        else:
            made = release.make(context, ingested, progress)
        again = put_out(context, made, original.decision)
    except SynthError as error:
        return [f"the release cannot be made again: {error}"]
    files = compare_files(original.folder, again.folder)
    progress.finish(f"compared {len(original.manifest['files'])} files: {len(files)} differ")
    return files


def _summary(original: Original, origins: list[str], files: list[str]) -> str:
    return f"{original.folder} differs: {len(origins)} settings and {len(files)} files: {files[0]}"


# --- command line ---------------------------------------------------------------------------------


@interruptible
def main(arguments: list[str] | None = None) -> int:
    """Reproduce a release from the command line; see ``--help``.

    Returns:
        Exit code: 0 identical, 1 it differs or cannot be made again, 2 wrong input.
    """
    options = _parse(arguments)
    try:
        spec = read_specification(options.spec, "boys.yaml")
        take_seed(options.seed)
        check_policy(spec)
        original = find_original(options.release, spec)
        if options.open_seed:
            sys.stdout.write(f"{_opening(original, spec)}\n")
            return 0
        read_beforehand(spec, in_parts=spec.partition is not None)
        task_runner(spec.run)
    except SynthError as error:
        sys.stderr.write(f"error: {error}\n")
        return REFUSED
    if not start_prefect(f"reproduction of {spec.dataset.name}"):
        return REFUSED
    with stage_progress(STAGES):
        state = reproduce(options.release, spec, return_state=True)
    found = state.result(raise_on_failure=False)
    for line in found if isinstance(found, list) else []:  # a crash has no lines
        sys.stdout.write(f"{printable(line)}\n")
    if not state.is_completed():
        sys.stderr.write(f"error: {printable(state.message)}\n")
        return FAILED
    sys.stdout.write(f"{printable(state.message)}\n")
    return 0


def _opening(original: Original, spec: ReleaseSpec) -> str:
    """Say what proves the seed, as `flows.verify` takes it."""
    seed, salt = open_seed(original, spec)
    return f"--seed {seed} --salt {salt}"


EXAMPLES = {"the latest release of your own": "releases/patients/latest --spec patients.yaml"}


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = make_parser(
        "flows.reproduce",
        "Make a published release again and say whether it is identical.",
        EXAMPLES,
        "0 identical; 1 it differs or cannot be made again; 2 wrong input, nothing was started",
    )
    parser.add_argument("release", metavar="RELEASE", help="folder of the release")
    parser.add_argument("--spec", metavar="FILE", help="its specification (default: boys)")
    parser.add_argument("--seed", metavar="N", help="its seed, if the workspace does not hold it")
    parser.add_argument(
        "--open-seed",
        action="store_true",
        help="only print seed and salt, which prove the seed; who has them can test guesses",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
