"""Top and bottom coding: no published extreme stands for fewer than k real records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import Field

from synth_tasks.data import Schema
from synth_tasks.engine.tails import TailSupport
from synth_tasks.sdc.columns import free_values, require_numbers
from synth_tasks.sdc.step import RngOf
from synth_tasks.settings import Settings


class TopBottomCode(Settings):
    """Replace the tails of numbers by one value each; see `synth_tasks.engine.tails`.

    Parameters
    ----------
    columns : list of str
        Numeric columns.
    k : int, default 5
        Least number of real records behind the smallest and the largest value.
    sides : {"both", "top", "bottom"}, default "both"
        Which tails.
    """

    step: Literal["top_bottom_code"] = Field("top_bottom_code", description="Name of the step.")
    columns: list[str] = Field(description="Numeric columns.")
    k: int = Field(5, ge=2, description="Least number of real records behind an extreme value.")
    sides: Literal["both", "top", "bottom"] = Field("both", description="Which tails.")

    def touched(self, schema: Schema) -> list[str]:
        """Return the columns whose values change."""
        return self.columns

    def learn(self, real: np.ndarray, schema: Schema) -> TailCoding:
        """Find the tails of the observed real values; a column without any is left as it is."""
        require_numbers(self.step, self.columns, schema)
        tails = {}
        for name in self.columns:
            values = real[:, schema.position(name)]
            values = values[free_values(values, schema[name])]
            if len(values):
                tails[name] = self._one_sided(TailSupport.learn(values, self.k))
        return TailCoding(schema, tails)

    def _one_sided(self, tails: TailSupport) -> TailSupport:
        if self.sides == "top":
            return replace(tails, lower_limit=-np.inf)
        return replace(tails, upper_limit=np.inf) if self.sides == "bottom" else tails


@dataclass(frozen=True)
class TailCoding:
    """The tails of columns; missing values and spikes stay."""

    schema: Schema
    tails: Mapping[str, TailSupport]
    exact: bool = True

    def apply(self, matrix: np.ndarray, rng_of: RngOf) -> np.ndarray:
        """Return a coded copy; see `synth_tasks.sdc.step.Recoding`."""
        coded = matrix.copy()
        for name, tails in self.tails.items():
            column, variable = coded[:, self.schema.position(name)], self.schema[name]
            cells = free_values(column, variable)
            column[cells] = variable.round(tails.apply(column[cells]))
        return coded
