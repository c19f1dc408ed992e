"""Which columns a step can work on."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from synth_tasks.data import Schema, Variable
from synth_tasks.engine.registry import NUMBERS
from synth_tasks.errors import SpecError


def require_columns(step: str, names: Iterable[str], schema: Schema) -> None:
    """Refuse columns that the table does not have."""
    for name in names:
        if name not in schema:
            raise SpecError(
                f"step '{step}': unknown column '{name}': the data have {', '.join(schema.names)}"
            )


def require_keys(step: str, names: Collection[str], schema: Schema) -> None:
    """Refuse unknown keys, and none at all."""
    if not names:
        raise SpecError(f"step '{step}' needs keys, the variables an intruder may know: name them")
    require_columns(step, names, schema)


def require_numbers(step: str, names: Iterable[str], schema: Schema) -> None:
    """Refuse columns that hold no numbers."""
    names = list(names)
    require_columns(step, names, schema)
    for name in names:
        if schema[name].kind not in NUMBERS:
            raise SpecError(
                f"step '{step}': column '{name}' is {schema[name].kind}, not a number: leave it out"
            )


def require_free(step: str, names: Iterable[str], derived: Collection[str]) -> None:
    """Refuse columns that would be computed anew from others afterwards."""
    for name in names:
        if name in derived:
            raise SpecError(
                f"step '{step}': column '{name}' is computed from others: name its inputs instead"
            )


def free_values(values: np.ndarray, variable: Variable) -> np.ndarray:
    """Mark the cells that hold an ordinary number: not missing, no code and no spike.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Encoded.
    variable : Variable
        Knows its spikes.

    Returns
    -------
    ndarray of bool of shape (n_rows,)
    """
    return ~np.isnan(values) & ~np.isin(values, variable.spikes)
