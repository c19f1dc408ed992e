"""Blocks of the Prefect server that a specification names."""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import ValidationError

from synth_tasks.errors import SpecError, TransientError


def load_block(block: Any, kind: str, name: str, setting: str) -> Any:
    """Return what is stored on the Prefect server under the name of a block.

    Parameters
    ----------
    block : type of Block
        Class of the block.
    kind : str
        What people call such blocks.
    name : str
        Of the block.
    setting : str
        What names it, for errors.

    Returns
    -------
    Block

    Raises
    ------
    SpecError
        If there is no block of this kind and name, or it is not filled in.
    StorageError
        If the server does not answer.
    """
    try:
        return block.load(name)
    except RuntimeError as error:
        # Prefect says so of fields that do not fit, and of much else.
        if not isinstance(error.__cause__, ValidationError):
            raise
        raise SpecError(
            f"{setting}: the {kind} block '{name}' is not filled in as this version needs it: edit it "
            "in the Prefect UI"
        ) from None
    except ValueError:
        raise SpecError(
            f"{setting}: there is no {kind} block '{name}': create it in the Prefect UI"
        ) from None
    except httpx.HTTPError as error:
        raise TransientError(
            f"{setting}: the Prefect server cannot be asked for the block '{name}' "
            f"({type(error).__name__}): check PREFECT_API_URL, and that the server runs"
        ) from None
