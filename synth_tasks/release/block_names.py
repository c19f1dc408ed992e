"""How a specification names a Prefect block where a path could stand: ``block:name``.

What is in a block, only the flow can find out; here is but its name.
"""

from __future__ import annotations

import re

PREFIX = "block:"
NAME = re.compile(r"[a-z0-9-]+")


def block_name(text: str) -> str | None:
    """Return the name of the block that a setting names; None if it names none.

    Parameters
    ----------
    text : str
        A path, a URL, or ``block:name``.

    Raises
    ------
    ValueError
        If a block cannot have such a name.
    """
    if not text.startswith(PREFIX):
        return None
    name = text.removeprefix(PREFIX)
    if NAME.fullmatch(name) is None:
        raise ValueError("the name of a block has small letters, digits and - only: block:my-block")
    return name


def check_block_name(text: str) -> str:
    """Return a setting as it is, if a block that it names can have the name."""
    block_name(text)
    return text
