"""Rounding of numbers to multiples of a base.

References
----------
Cox (1987). A constructive procedure for unbiased controlled rounding. Journal of the American
Statistical Association 82, 520-524 (random rounding keeps expectations).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from synth_tasks.data import Kind, Schema, Variable
from synth_tasks.errors import SpecError
from synth_tasks.sdc.columns import free_values, require_numbers
from synth_tasks.sdc.step import RngOf
from synth_tasks.settings import Settings


class Round(Settings):
    """Round numbers.

    Parameters
    ----------
    columns : dict of str to float
        Base of each column: 5 rounds to multiples of 5.
    how : {"nearest", "random"}, default "nearest"
        To the nearest multiple, or to one of the two around the value, at random such that the
        expectation is the value. The real table cannot be rounded alike then: look for replicated
        uniques before.
    """

    step: Literal["round"] = Field("round", description="Name of the step.")
    columns: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        description="Base of each numeric column: 5 rounds to multiples of 5."
    )
    how: Literal["nearest", "random"] = Field(
        "nearest", description="To the nearest multiple, or to one beside at random, without bias."
    )

    def touched(self, schema: Schema) -> list[str]:
        """Return the columns whose values change."""
        return list(self.columns)

    def learn(self, real: np.ndarray, schema: Schema) -> Rounding:
        """Check the bases; nothing is learnt from the values."""
        require_numbers(self.step, self.columns, schema)
        for name, base in self.columns.items():
            if not _can_hold(schema[name], base):
                raise SpecError(
                    f"step '{self.step}': multiples of the base {base} of column '{name}' have more "
                    "decimals than the column: choose another base"
                )
        return Rounding(schema, self.columns, exact=self.how == "nearest")


def _can_hold(variable: Variable, base: float) -> bool:
    if variable.kind is Kind.NUMERIC and variable.decimals is None:
        return True
    return math.isclose(float(variable.round(np.array(base))), base, rel_tol=1e-12)


@dataclass(frozen=True)
class Rounding:
    """Bases of columns; missing values and spikes stay."""

    schema: Schema
    bases: Mapping[str, float]
    exact: bool

    def apply(self, matrix: np.ndarray, rng_of: RngOf) -> np.ndarray:
        """Return a rounded copy; see `synth_tasks.sdc.step.Recoding`."""
        rounded = matrix.copy()
        for name, base in self.bases.items():
            column, variable = rounded[:, self.schema.position(name)], self.schema[name]
            cells = free_values(column, variable)
            # Multiples that rounding errors keep apart from whole numbers are whole.
            steps = np.round(column[cells] / base, 9)
            if not self.exact:
                steps = np.floor(steps + rng_of(name).random(len(steps)))
            column[cells] = variable.round(np.rint(steps) * base)
        return rounded
