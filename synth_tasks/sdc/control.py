"""Statistical disclosure control of a synthetic set: steps, one after the other.

Each recoding is learnt from the real table and applied to both tables, as far as it is exact, so that
later steps compare the tables as they would be published. Derived variables are computed anew after
each step. Missing values and spikes are never touched.

References
----------
Hundepool, Domingo-Ferrer, Franconi, Giessing, Schulte Nordholt, Spicer & de Wolf (2012). Statistical
Disclosure Control. Wiley.
Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of Statistical
Software 74(11), section 3.5 (the function sdc).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from synth_tasks.data import Schema, decode, encode
from synth_tasks.errors import SpecError
from synth_tasks.sdc.changes import Changes, count_cells
from synth_tasks.sdc.columns import require_free
from synth_tasks.sdc.rare_levels import MergeRareLevels
from synth_tasks.sdc.replicated import find_replicated
from synth_tasks.sdc.replicated_uniques import DropReplicatedUniques, RedrawReplicatedUniques
from synth_tasks.sdc.rounding import Round
from synth_tasks.sdc.smooth import Smooth
from synth_tasks.sdc.step import Recoding, RngOf
from synth_tasks.sdc.top_bottom import TopBottomCode
from synth_tasks.seeding import generator

Recode = Smooth | TopBottomCode | Round | MergeRareLevels
Step = Annotated[
    Recode | DropReplicatedUniques | RedrawReplicatedUniques, Field(discriminator="step")
]
Redraw = Callable[[int, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True)
class Derivation:
    """Variables that are computed from others.

    Parameters
    ----------
    names : tuple of str
        The variables.
    compute : callable
        Takes a table and returns it with these variables computed anew.
    """

    names: tuple[str, ...]
    compute: Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Controlled:
    """A synthetic set after disclosure control.

    Parameters
    ----------
    frame : DataFrame of shape (k, p)
        With the dtypes and categories of the schema. The index is that of the set, or 0, 1, ... if rows
        were dropped, for gaps would tell which.
    schema : Schema
        That of the data; with other categories where rare levels were merged.
    changes : tuple of Changes
        One for each step.
    real : DataFrame of shape (n, p)
        The real table at the resolution of the set: exact recodings were applied to it, too.
    kept : ndarray of shape (k,), int
        Which rows of the set these are.
    """

    frame: pd.DataFrame
    schema: Schema
    changes: tuple[Changes, ...]
    real: pd.DataFrame
    kept: np.ndarray


@dataclass(frozen=True)
class _Tables:
    """Both tables, encoded, and the recodings they have been through."""

    schema: Schema
    real: np.ndarray
    synthetic: np.ndarray
    kept: np.ndarray
    derivation: Derivation | None
    recodings: tuple[tuple[Recoding, RngOf], ...] = ()

    def recode(self, recoding: Recoding, rng_of: RngOf) -> _Tables:
        """Apply a recoding, to the real table too if it is exact."""
        after = replace(
            self, schema=recoding.schema, recodings=(*self.recodings, (recoding, rng_of))
        )
        real = after.derive(recoding.apply(self.real, rng_of)) if recoding.exact else self.real
        return replace(
            after, real=real, synthetic=after.derive(recoding.apply(self.synthetic, rng_of))
        )

    def recode_new(self, matrix: np.ndarray, attempt: int) -> np.ndarray:
        """Take new rows through all recodings."""
        for recoding, rng_of in self.recodings:
            matrix = recoding.apply(matrix, partial(rng_of, "redrawn", attempt))
        return self.derive(matrix)

    def derive(self, matrix: np.ndarray) -> np.ndarray:
        """Compute derived variables anew."""
        if self.derivation is None:
            return matrix
        computed = self.derivation.compute(decode(matrix, self.schema))
        return encode(computed, self.schema)


def control(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    steps: Sequence[Step],
    *,
    seed: int,
    set_number: int,
    derivation: Derivation | None = None,
    redraw: Redraw | None = None,
) -> Controlled:
    """Apply steps of disclosure control to a synthetic set.

    Parameters
    ----------
    real : DataFrame of shape (n, p)
        The table that was synthesised.
    synthetic : DataFrame of shape (k, p)
        One synthetic set.
    schema : Schema
        Description of both.
    steps : sequence of Step
        In the order in which they are applied.
    seed : int
        Root seed; random numbers depend on it, the set, the position of a step and the column alone.
    set_number : int
        Number of the set, 1..m.
    derivation : Derivation, optional
        Variables computed from others.
    redraw : callable, optional
        For `RedrawReplicatedUniques`: takes a number of rows and a generator and returns so many new
        synthetic rows, as drawn. They must not depend on real rows, as in a partial synthesis.

    Returns
    -------
    Controlled

    Raises
    ------
    SpecError
        If a step names a column it cannot work on, or rows are to be drawn anew without `redraw`.
    """
    every = np.arange(len(synthetic))
    tables = _Tables(schema, encode(real, schema), encode(synthetic, schema), every, derivation)
    changes = []
    for position, step in enumerate(steps):
        rng_of = partial(generator, seed, "sdc", set_number, position)
        tables, change = _apply(step, tables, schema, rng_of, redraw)
        changes.append(change)
    dropped = len(tables.synthetic) < len(synthetic)
    index = None if dropped else synthetic.index
    return Controlled(
        frame=decode(tables.synthetic, tables.schema, index),
        schema=tables.schema,
        changes=tuple(changes),
        real=decode(tables.real, tables.schema, real.index),
        kept=tables.kept,
    )


def _apply(
    step: Step, tables: _Tables, drawn_schema: Schema, rng_of: RngOf, redraw: Redraw | None
) -> tuple[_Tables, Changes]:
    if isinstance(step, DropReplicatedUniques):
        return _drop(step, tables)
    if isinstance(step, RedrawReplicatedUniques):
        return _redraw(step, tables, drawn_schema, rng_of, redraw)
    if tables.derivation is not None:
        require_free(step.step, step.touched(tables.schema), tables.derivation.names)
    after = tables.recode(step.learn(tables.real, tables.schema), rng_of)
    cells = count_cells(tables.synthetic, after.synthetic, tables.schema, after.schema)
    return after, Changes(step.step, cells)


def _drop(step: DropReplicatedUniques, tables: _Tables) -> tuple[_Tables, Changes]:
    step.check(tables.schema)
    replicated = find_replicated(
        tables.real, tables.synthetic, tables.schema, step.key_variables, step.groups
    )
    left = ~replicated
    after = replace(tables, synthetic=tables.synthetic[left], kept=tables.kept[left])
    return after, Changes(step.step, rows_dropped=int(replicated.sum()))


def _redraw(
    step: RedrawReplicatedUniques,
    tables: _Tables,
    drawn_schema: Schema,
    rng_of: RngOf,
    redraw: Redraw | None,
) -> tuple[_Tables, Changes]:
    step.check(tables.schema)
    if redraw is None:
        raise SpecError(
            f"step '{step.step}': rows of this synthesis cannot be drawn anew: use "
            "drop_replicated_uniques"
        )

    def find(matrix: np.ndarray) -> np.ndarray:
        return find_replicated(tables.real, matrix, tables.schema, step.key_variables, step.groups)

    matrix = tables.synthetic.copy()
    replicated, redrawn = find(matrix), np.zeros(len(matrix), dtype=bool)
    for attempt in range(step.tries):
        n_rows = int(replicated.sum())
        if n_rows == 0:
            break
        new = redraw(n_rows, rng_of("rows", attempt))
        if len(new) != n_rows:
            raise SpecError(
                f"step '{step.step}': {n_rows} rows were asked for and {len(new)} drawn: mend redraw"
            )
        matrix[replicated] = tables.recode_new(encode(new, drawn_schema), attempt)
        redrawn |= replicated
        replicated = find(matrix)
    return replace(tables, synthetic=matrix), Changes(
        step.step,
        count_cells(tables.synthetic, matrix, tables.schema),
        rows_redrawn=int(redrawn.sum()),
        rows_left=int(replicated.sum()),
    )
