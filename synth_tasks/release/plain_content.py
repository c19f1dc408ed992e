"""Content that JSON can hold: what a specification is made of, and a manifest repeats."""

from __future__ import annotations

import math
from typing import Any

from synth_tasks.errors import SpecError

MAX_DEPTH = 20
MAX_BITS = 256  # a seed has 128; beyond some thousand digits Python refuses to write a number down


def refuse_odd_content(content: Any, origin: str, path: str = "", depth: int = 0) -> None:
    """Refuse what JSON cannot hold, or other programs cannot read.

    Parameters
    ----------
    content : object
        As YAML or a caller gives it.
    origin, path : str
        Where it comes from and what it is in there, for the error message.
    depth : int
        How deep it is nested already.

    Raises
    ------
    SpecError
        If it holds anything but texts, finite numbers, truth values, null, lists and mappings of texts,
        numbers of more than 256 bits, or is nested deeper than 20.
    """
    if depth > MAX_DEPTH:
        raise SpecError(f"{origin}: {path}: nested deeper than {MAX_DEPTH}: simplify it")
    if isinstance(content, dict):
        for key, value in content.items():
            if not isinstance(key, str):
                where = f"{path}: " if path else ""
                raise SpecError(
                    f"{origin}: {where}the key {_short(key)} is no text: write it in quotes"
                )
            _refuse_surrogates(key, origin, path or "the file")
            refuse_odd_content(value, origin, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(content, list):
        for number, value in enumerate(content):
            refuse_odd_content(value, origin, f"{path}.{number}", depth + 1)
    elif isinstance(content, str):
        _refuse_surrogates(content, origin, path)
    else:
        _refuse_odd_scalar(content, origin, path)


def _refuse_odd_scalar(value: Any, origin: str, path: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise SpecError(f"{origin}: {path}: write a finite number")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise SpecError(
            f"{origin}: {path}: a number of more than {MAX_BITS} bits: write a smaller one"
        )
    if not isinstance(value, bool | int | float | None):
        raise SpecError(
            f"{origin}: {path}: a {type(value).__name__} has no place here: write a text in quotes, a "
            "number, a list or a mapping"
        )


def _refuse_surrogates(text: str, origin: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SpecError(f"{origin}: {path}: holds half a character: write it anew") from None


def _short(key: object) -> str:
    if isinstance(key, int) and key.bit_length() > MAX_BITS:
        return "of many digits"
    return str(key)[:60]
