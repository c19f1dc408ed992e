"""The predictor columns that a method sees, learnt on training rows and made for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from synth_tasks.data import Schema, Variable
from synth_tasks.engine.parts import Parts, has_parts

ENOUGH_VALUES = 10


class PredictorColumns(Protocol):
    """Turns working data into predictors."""

    @property
    def described(self) -> tuple[Variable, ...]:
        """One variable for each column of `matrix`."""
        ...

    def matrix(self, source: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return predictors of shape (n_selected, n_columns) for rows of encoded data.

        They may be a part of `source` itself, and are then read-only.
        """
        ...


@dataclass(frozen=True)
class PlainColumns:
    """The predictors as they are; those of two parts as their state and their value.

    Parameters
    ----------
    positions : tuple of int
        Their columns in the data.
    variables : tuple of Variable
        Their description.
    fillers : tuple of float
        What stands for the value of a variable of two parts where it has no ordinary one. The state
        is always there too, so the number does not matter; one near the mean keeps columns well
        scaled. It has two digits, and is 0 where few people would make up the mean.
    """

    positions: tuple[int, ...]
    variables: tuple[Variable, ...]
    fillers: tuple[float, ...]

    @classmethod
    def learn(
        cls, schema: Schema, names: Sequence[str], source: np.ndarray, rows: np.ndarray
    ) -> PlainColumns:
        """Learn the fillers on training rows (a mask or row numbers)."""
        positions = tuple(schema.position(name) for name in names)
        variables = tuple(schema[name] for name in names)
        fillers = tuple(
            _filler(v, source[rows, p]) if has_parts(v) else 0.0
            for v, p in zip(variables, positions, strict=True)
        )
        return cls(positions, variables, fillers)

    @property
    def described(self) -> tuple[Variable, ...]:
        """One variable for each column of `matrix`."""
        described: list[Variable] = []
        for variable in self.variables:
            described += [Parts(variable).state, variable] if has_parts(variable) else [variable]
        return tuple(described)

    def matrix(self, source: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return predictors for rows of encoded data."""
        x = _select(source, self.positions, rows)
        if not any(has_parts(variable) for variable in self.variables):
            return x
        columns: list[np.ndarray] = []
        for values, variable, filler in zip(x.T, self.variables, self.fillers, strict=True):
            if not has_parts(variable):
                columns.append(values)
                continue
            states = Parts(variable).states(values)
            columns += [states, np.where(states == 0, values, filler)]
        return np.column_stack(columns)


def _select(source: np.ndarray, positions: Sequence[int], rows: np.ndarray) -> np.ndarray:
    """Return some columns and rows, column-major; without copying where that can be."""
    everywhere = rows.dtype == bool and bool(rows.all())
    first, end = (positions[0], positions[-1] + 1) if positions else (0, 0)
    if everywhere and tuple(positions) == tuple(range(first, end)):
        part = source[:, first:end]
        part.flags.writeable = False
        return part
    n_rows = np.count_nonzero(rows) if rows.dtype == bool else len(rows)
    x = np.empty((n_rows, len(positions)), order="F")
    for column, position in zip(x.T, positions, strict=True):
        column[:] = source[:, position] if everywhere else source[rows, position]
    return x


def _filler(variable: Variable, values: np.ndarray) -> float:
    if variable.is_categorical:
        return 0.0
    ordinary = np.unique(values[Parts(variable).ordinary(values)])
    return float(f"{ordinary.mean():.1e}") if len(ordinary) >= ENOUGH_VALUES else 0.0
