"""The boundary between confidential code and Prefect.

Prefect stores exception messages and tracebacks. Errors of this package hold no values and pass; of any
other exception only its type and place pass, and the full text goes to a file in the workspace.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from synth_tasks.errors import SynthError, TransientError
from synth_tasks.files import open_private
from synth_tasks.tasks.context import RunContext

P = ParamSpec("P")
R = TypeVar("R")
ERROR_FILE = "last-error.txt"


def confidential(function: Callable[P, R]) -> Callable[P, R]:
    """Let no exception with data values out of a task whose first argument is the `RunContext`."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except SynthError as error:
            passing = error
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            context = kwargs.get("context", args[0] if args else None)
            note = _keep_privately(context)
            passing = SynthError(
                f"{function.__name__} failed: {type(error).__name__} in {Path(place.filename).name}, "
                f"line {place.lineno}{note}"
            )
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
