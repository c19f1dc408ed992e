"""Steps against replicated uniques: leaving the rows out, or drawing them anew."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synth_tasks.data import Schema
from synth_tasks.sdc.columns import require_keys
from synth_tasks.settings import Settings


class _Replicated(Settings):
    """What counts as a replicated unique.

    Parameters
    ----------
    key_variables : list of str
        Variables an intruder may know (``keys`` for short); a release takes those of its section
        ``disclosure`` if none is given.
    groups : int, optional
        Quantile groups that numeric keys are compared in, for an intruder who knows them roughly.
    """

    # An attribute named `keys` would make Prefect take the model for a mapping.
    key_variables: list[str] = Field(
        [], alias="keys", description="Variables an intruder may know; disclosure.keys if empty."
    )
    groups: int | None = Field(
        None, ge=2, description="Quantile groups in which numeric keys are compared."
    )


class DropReplicatedUniques(_Replicated):
    """Leave out rows whose keys are unique in the real and in the synthetic table, and equal.

    The only step that changes the number of rows. It removes people-like rows from the edges of the
    distribution; drawing them anew first leaves less to remove. Parameters: see `_Replicated`.
    """

    step: Literal["drop_replicated_uniques"] = Field(
        "drop_replicated_uniques", description="Name of the step."
    )

    def check(self, schema: Schema) -> None:
        """Refuse unknown keys, and none at all."""
        require_keys(self.step, self.key_variables, schema)


class RedrawReplicatedUniques(_Replicated):
    """Draw such rows anew, until none is left or the tries are used up.

    Parameters
    ----------
    tries : int, default 20
        Most rounds of drawing. Rows that are replicated uniques after the last one stay, and are
        reported; a step `DropReplicatedUniques` behind this one removes them.
    """

    step: Literal["redraw_replicated_uniques"] = Field(
        "redraw_replicated_uniques", description="Name of the step."
    )
    tries: int = Field(20, ge=1, description="Most rounds of drawing.")

    def check(self, schema: Schema) -> None:
        """Refuse unknown keys, and none at all."""
        require_keys(self.step, self.key_variables, schema)
