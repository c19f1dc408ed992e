"""The boundary between confidential code and Prefect.

Prefect stores exception messages and tracebacks. Errors of this package hold no values and pass; of any
other exception only its type and place pass, and the full text goes to a file in the workspace. What
reads data before there is a workspace, in a command or in the body of a flow, is guarded alike.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from synth_tasks.errors import SynthError, TransientError
from synth_tasks.failures import describe_failure
from synth_tasks.files import open_private, storage_error
from synth_tasks.tasks.context import RunContext

P = ParamSpec("P")
R = TypeVar("R")
ERROR_FILE = "last-error.txt"


def confidential(function: Callable[P, R]) -> Callable[P, R]:
    """Let no exception with data values out of a task whose first argument is the `RunContext`."""
    return _guarded(function, _keep_privately)


def redacted(function: Callable[P, R]) -> Callable[P, R]:
    """Let no exception with data values out of what reads data before there is a `RunContext`.

    Nothing is written: whoever only looks whether a release could be made has no workspace yet.
    """
    return _guarded(function, lambda _: "")


def _guarded(function: Callable[P, R], keep: Callable[[Any], str]) -> Callable[P, R]:
    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except SynthError as error:
            passing = error
        except Exception as error:
            note = keep(kwargs.get("context", args[0] if args else None))
            kind = storage_error(error) if isinstance(error, OSError) else SynthError
            passing = kind(f"{describe_failure(error, function.__name__)}{note}")
        # Raised out here, it does not carry the exception that was being handled.
        passing.__cause__ = passing.__context__ = None
        raise passing.with_traceback(None)

    return guarded


def _keep_privately(context: Any) -> str:
    if not isinstance(context, RunContext):
        return ""
    path = Path(context.root) / context.spec.dataset.name / ERROR_FILE
    try:
        with os.fdopen(open_private(path, os.O_WRONLY | os.O_TRUNC), "w") as file:
            file.write(traceback.format_exc())
    except OSError:
        return ""
    return f"; details in the private workspace ({ERROR_FILE})"


def may_retry(task: Any, run: Any, state: Any) -> bool:
    """Repeat a task only where repeating can help: not for wrong input, rights or missing files."""
    try:
        state.result()
    except TransientError:
        return True
    except Exception:
        return False
    return False
