"""Refusing what a specification names and the data do not have."""

from __future__ import annotations

from synth_tasks.data import Schema
from synth_tasks.data.closest import columns_there
from synth_tasks.errors import SpecError


def require_columns(setting: str, names: list[str], schema: Schema) -> None:
    """Refuse names that the data do not have."""
    for name in names:
        if name not in schema:
            raise SpecError(
                f"{setting}: unknown column '{name}'; {columns_there(name, schema.names)}"
            )
