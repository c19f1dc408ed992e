"""Saying why something failed, without any value of the data."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import synth_tasks
from synth_tasks.errors import SynthError

_ROOT = Path(synth_tasks.__file__).resolve().parents[1]
_OWN = tuple(_ROOT / name for name in ("synth_tasks", "flows", "expectations"))


def describe_failure(error: Exception, what: str) -> str:
    """Say in one line, without any value of the data, why something failed.

    Parameters
    ----------
    error : Exception
        As it was caught.
    what : str
        What failed, in a word or two.

    Returns
    -------
    str
        The message of an error of this package; of any other error its type, what the operating system
        says of its number, and the last place in the code of this project that led to it.
    """
    if isinstance(error, SynthError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    # The first is where it was caught.
    own = [frame for frame in frames[1:] if _is_own(frame.filename)]
    place = (own or frames)[-1]
    name = Path(place.filename).name
    return f"{what} failed: {_kind(error)} in {name}, line {place.lineno}"


def _kind(error: Exception) -> str:
    """Name the type of an error, and what the operating system says by its number, not by its text."""
    kind = type(error).__name__
    if isinstance(error, OSError) and error.errno is not None:
        return f"{kind} ({os.strerror(error.errno)})"
    return kind


def _is_own(filename: str) -> bool:
    path = Path(filename).resolve()
    return any(path.is_relative_to(folder) for folder in _OWN)
