"""Steps against replicated uniques: leaving the rows out, or drawing them anew."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synth_tasks.data import Schema
from synth_tasks.sdc.columns import require_columns
from synth_tasks.sdc.step import Settings


class _Replicated(Settings):
    """What counts as a replicated unique.

    Parameters
    ----------
    keys : list of str
        Variables an intruder may know, at least one.
    groups : int, optional
        Quantile groups that numeric keys are compared in, for an intruder who knows them roughly.
    """

    keys: list[str] = Field(min_length=1)
    groups: int | None = Field(None, ge=2)


class DropReplicatedUniques(_Replicated):
    """Leave out rows whose keys are unique in the real and in the synthetic table, and equal.

    The only step that changes the number of rows. It removes people-like rows from the edges of the
    distribution; drawing them anew first leaves less to remove. Parameters: see `_Replicated`.
    """

    step: Literal["drop_replicated_uniques"] = "drop_replicated_uniques"

    def check(self, schema: Schema) -> None:
        """Refuse unknown keys."""
        require_columns(self.step, self.keys, schema)


class RedrawReplicatedUniques(_Replicated):
    """Draw such rows anew, until none is left or the tries are used up.

    Parameters
    ----------
    tries : int, default 20
        Most rounds of drawing. Rows that are replicated uniques after the last one stay, and are
        reported; a step `DropReplicatedUniques` behind this one removes them.
    """

    step: Literal["redraw_replicated_uniques"] = "redraw_replicated_uniques"
    tries: int = Field(20, ge=1)

    def check(self, schema: Schema) -> None:
        """Refuse unknown keys."""
        require_columns(self.step, self.keys, schema)
