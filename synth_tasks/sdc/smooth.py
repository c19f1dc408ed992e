"""Smoothing: a number that some real person has is replaced by one nearby."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from synth_tasks.data import Schema
from synth_tasks.engine.smoothing import Smoother, make_smoother
from synth_tasks.sdc.columns import free_values, require_numbers
from synth_tasks.sdc.step import RngOf
from synth_tasks.settings import Settings


class Smooth(Settings):
    """Smooth numbers; see `synth_tasks.engine.smoothing`.

    The real table is not smoothed: look for replicated uniques among such columns before.

    Parameters
    ----------
    columns : dict of str to {"density", "spline"}
        How to smooth each column.
    """

    step: Literal["smooth"] = Field("smooth", description="Name of the step.")
    columns: dict[str, Literal["density", "spline"]] = Field(
        description="How to smooth each numeric column."
    )

    def touched(self, schema: Schema) -> list[str]:
        """Return the columns whose values change."""
        return list(self.columns)

    def learn(self, real: np.ndarray, schema: Schema) -> Smoothing:
        """Learn from the observed real values; a column without any is left as it is."""
        require_numbers(self.step, self.columns, schema)
        learnt = {}
        for name, kind in self.columns.items():
            values = real[:, schema.position(name)]
            values = values[free_values(values, schema[name])]
            if len(values):
                learnt[name] = (make_smoother(kind, values), schema[name].round(np.unique(values)))
        return Smoothing(schema, learnt)


@dataclass(frozen=True)
class Smoothing:
    """Smoothers of columns with the real values they learnt from.

    Values that no real row has are nobody's, and stay; so do missing values and spikes.
    """

    schema: Schema
    learnt: Mapping[str, tuple[Smoother, np.ndarray]]
    exact: bool = False

    def apply(self, matrix: np.ndarray, rng_of: RngOf) -> np.ndarray:
        """Return a smoothed copy; see `synth_tasks.sdc.step.Recoding`."""
        smoothed = matrix.copy()
        for name, (smoother, real_values) in self.learnt.items():
            column = smoothed[:, self.schema.position(name)]
            variable = self.schema[name]
            belongs = np.isin(variable.round(column), real_values)
            cells = free_values(column, variable) & belongs
            column[cells] = variable.round(smoother.smooth(column[cells], rng_of(name)))
        return smoothed
