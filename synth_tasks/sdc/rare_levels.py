"""Merging of rare levels: no published category stands for fewer than k real records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import Field, StrictInt, StrictStr

from synth_tasks.data import Kind, Schema, Variable
from synth_tasks.errors import SpecError
from synth_tasks.sdc.columns import require_columns
from synth_tasks.sdc.step import RngOf
from synth_tasks.settings import Settings


class MergeRareLevels(Settings):
    """Merge levels with fewer than k real records into one.

    If all of them together have fewer than k records, the next rarest level joins them. Levels without
    any real record are nobody's, and stay. Where no level is rare, nothing changes.

    Parameters
    ----------
    columns : list of str
        Categorical columns.
    k : int, default 5
        Least number of real records of a level.
    other : str or int, default "other"
        The level they are merged into. Nominal columns get it as a new category at the end, if they do
        not have it; for others, whose levels have an order or a meaning, it must be one of theirs.
    """

    step: Literal["merge_rare_levels"] = Field("merge_rare_levels", description="Name of the step.")
    columns: list[str] = Field(description="Categorical columns.")
    k: int = Field(5, ge=2, description="Least number of real records of a level.")
    other: StrictStr | StrictInt = Field(
        "other", description="The level they become; one of the column's unless it is nominal."
    )

    def touched(self, schema: Schema) -> list[str]:
        """Return the columns whose values change."""
        return self.columns

    def learn(self, real: np.ndarray, schema: Schema) -> LevelMerging:
        """Count the levels in the real table."""
        require_columns(self.step, self.columns, schema)
        targets: dict[str, np.ndarray] = {}
        variables = {v.name: v for v in schema}
        for name in self.columns:
            variable = schema[name]
            if not variable.is_categorical:
                raise SpecError(
                    f"step '{self.step}': column '{name}' is {variable.kind}, without levels: leave "
                    "it out"
                )
            codes = real[:, schema.position(name)]
            rare = self._rare(codes, variable)
            if rare.any():
                variables[name], targets[name] = self._merge(variable, rare)
        return LevelMerging(Schema(tuple(variables.values())), targets)

    def _rare(self, codes: np.ndarray, variable: Variable) -> np.ndarray:
        """Mark the levels to be merged."""
        observed = codes[~np.isnan(codes)].astype(int)
        counts = np.bincount(observed, minlength=len(variable.categories))
        is_other = np.array([label == self.other for label in variable.categories])
        rare = (counts > 0) & (counts < self.k) & ~is_other
        for level in np.argsort(counts, kind="stable"):
            together = counts[rare | is_other].sum()
            if together == 0 or together >= self.k:
                break
            rare[level] = counts[level] > 0 and not is_other[level]
        return rare

    def _merge(self, variable: Variable, rare: np.ndarray) -> tuple[Variable, np.ndarray]:
        """Return the variable without its rare levels, and for each old code the new one."""
        wider = self._with_other(variable)
        gone = np.zeros(len(wider.categories), dtype=bool)
        gone[: len(rare)] = rare
        # A category that is merged away would still tell its name.
        left = tuple(
            label for label, is_gone in zip(wider.categories, gone, strict=True) if not is_gone
        )
        new_codes = (np.cumsum(~gone) - 1)[: len(rare)]
        codes = np.where(rare, left.index(self.other), new_codes)
        return replace(wider, categories=left), codes.astype(float)

    def _with_other(self, variable: Variable) -> Variable:
        if self.other in variable.categories:
            return variable
        alike = all(type(label) is type(self.other) for label in variable.categories)
        if variable.kind is not Kind.NOMINAL or not alike:
            raise SpecError(
                f"step '{self.step}': column '{variable.name}' ({variable.kind}) has no level "
                f"'{self.other}' and cannot be given one: name one of its levels in other"
            )
        return replace(variable, categories=(*variable.categories, self.other))


@dataclass(frozen=True)
class LevelMerging:
    """For each column the code that every code becomes; missing values stay.

    Categories that are merged away are none of the schema any more.
    """

    schema: Schema
    targets: Mapping[str, np.ndarray]
    exact: bool = True

    def apply(self, matrix: np.ndarray, rng_of: RngOf) -> np.ndarray:
        """Return a merged copy; see `synth_tasks.sdc.step.Recoding`."""
        merged = matrix.copy()
        for name, target in self.targets.items():
            column = merged[:, self.schema.position(name)]
            observed = ~np.isnan(column)
            column[observed] = target[column[observed].astype(int)]
        return merged
