"""What the command lines of all flows have in common."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import httpx
from prefect import Flow
from prefect.exceptions import TerminationSignal

from flows.api import server_problem
from flows.endings import INTERRUPTED, Main, let_terminal_differ
from flows.terminal import or_why_not, show_stages_only
from synth_tasks.errors import printable
from synth_tasks.failures import describe_failure
from synth_tasks.release.memory import check_parts_memory, check_source_memory
from synth_tasks.release.runner_options import RUNNERS
from synth_tasks.release.seeds import parse_seed
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.spec_files import read_spec
from synth_tasks.release.stages import load_source
from synth_tasks.release.survey import survey_source
from synth_tasks.tasks.boundary import redacted
from synth_tasks.tasks.connections import database_url
from synth_tasks.tasks.context import SEED_VARIABLE

REFUSED, FAILED = 2, 1
TERMINATED = 143  # as shells count
FOLDERS = (Path(__file__).parent.parent / "deployments", Path(__file__).parent / "specs")


def interruptible(main: Main) -> Main:
    """Let a command that is stopped, or loses its server, end in one line; finished stages are kept.

    So does one that fails as nobody has foreseen: the traceback could show values of the data.

    Args:
        main: Takes arguments and returns an exit code.
    """

    @wraps(main)
    def run(arguments: list[str] | None = None) -> int:
        let_terminal_differ()
        try:
            with _termination_raised():
                return main(arguments)
        except KeyboardInterrupt:
            word, code = "interrupted", INTERRUPTED
        except TerminationSignal:
            word, code = "terminated", TERMINATED
        except httpx.TransportError as error:
            word, code = f"the Prefect server does not answer ({type(error).__name__})", FAILED
        except Exception as error:
            sys.stderr.write(f"error: {describe_failure(error, 'the command')}\n")
            return FAILED
        sys.stderr.write(
            f"error: {word}: start it again, and it goes on with what is not finished\n"
        )
        return code

    return run


@contextmanager
def _termination_raised() -> Iterator[None]:
    """Let SIGTERM end the command from inside, or the temporary server would outlive it."""

    def stop(number: int, _: FrameType | None) -> NoReturn:
        raise TerminationSignal(signal=number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def read_specification(path: str | None, default: str) -> ReleaseSpec:
    """Read the specification that the user names, or one of ours.

    Args:
        path: File of the user.
        default: Name of ours, in `deployments` of a checkout or beside the installed flows.
    """
    ours = (folder / default for folder in FOLDERS if (folder / default).is_file())
    return read_spec(path or next(ours))


@redacted
def read_beforehand(spec: ReleaseSpec, in_parts: bool = False) -> None:
    """Read and check the data once, so that wrong input is found before anything is started.

    Args:
        spec: The specification.
        in_parts: Whether the table is read in parts, and never held as a whole.
    """
    if in_parts:
        survey = survey_source(spec)
        check_parts_memory(spec, survey.division.sizes.tolist(), survey.schema)
    else:
        check_source_memory(spec)
        load_source(spec, database_url(spec))


def take_seed(text: str | None) -> None:
    """Hand the seed of the command line to the flow, past the parameters that Prefect stores."""
    if text is not None:
        os.environ[SEED_VARIABLE] = str(parse_seed(text, "--seed"))


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a study and a frontier are told about who does the work."""
    parser.add_argument("--runner", choices=RUNNERS, help="what does the work (default: threads)")
    parser.add_argument("--workers", metavar="N", type=int, help="number of workers")
    parser.add_argument("--seed", metavar="N", help="seed of all random numbers; kept secret")


def start_prefect(what: str) -> bool:
    """Announce what is done, and make sure that there is a server; if not, say what is wrong.

    Args:
        what: What is done, of which data set.
    """
    show_stages_only()
    sys.stdout.write(f"{what}: starting Prefect\n")
    sys.stdout.flush()  # a server of its own takes some seconds
    if problem := server_problem():
        sys.stderr.write(f"error: {problem}\n")
        return False
    return True


def run_and_show(
    flow: Flow[..., Any],
    spec: ReleaseSpec,
    to: str | None,
    summarise: Callable[[Path], str],
    started: float,
) -> int:
    """Run a flow that writes a folder of results, and show them.

    Args:
        flow: What is run, with `spec` and `to`.
        spec: The specification.
        to: Folder of the results.
        summarise: Describes the folder.
        started: When the command began, by the monotonic clock.

    Returns:
        Exit code: 0 done, 1 it failed, 2 there is no server.
    """
    if not start_prefect(f"{flow.name} of {spec.dataset.name}"):
        return REFUSED
    state: Any = flow(spec, to, return_state=True)
    if not state.is_completed():
        sys.stderr.write(f"error: {printable(state.message)}\n")
        return FAILED
    sys.stdout.write(or_why_not(lambda: summarise(Path(state.result()["folder"]))))
    sys.stdout.write(f"{printable(state.message)} ({time.monotonic() - started:.1f} s)\n")
    return 0
