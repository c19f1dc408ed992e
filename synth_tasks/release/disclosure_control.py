"""What a specification asks of statistical disclosure control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synth_tasks.data import Schema, decode, encode
from synth_tasks.engine import Synthesizer
from synth_tasks.engine.passive import PassiveVariables
from synth_tasks.errors import SpecError, SynthError
from synth_tasks.release.plans import disclosure_keys, formulas
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.sdc import (
    Controlled,
    Derivation,
    DropReplicatedUniques,
    Redraw,
    RedrawReplicatedUniques,
    Step,
    control,
)

ROW_STEPS = (DropReplicatedUniques, RedrawReplicatedUniques)


def complete_steps(spec: ReleaseSpec, schema: Schema) -> list[Step]:
    """Return the steps of disclosure control, with keys where the specification leaves them out."""
    keys = disclosure_keys(spec, schema)
    return [
        step.model_copy(update={"key_variables": keys})
        if isinstance(step, ROW_STEPS) and not step.key_variables
        else step
        for step in spec.sdc
    ]


def derive_passive(spec: ReleaseSpec, schema: Schema) -> Derivation | None:
    """Return what computes the passive variables of a table anew; None if there are none.

    Parameters
    ----------
    spec : ReleaseSpec
        Holds their formulas.
    schema : Schema
        The variables.
    """
    derived = formulas(spec.synthesis.method_by_variable)
    if not derived:
        return None

    def compute(frame: pd.DataFrame) -> pd.DataFrame:
        present = _with_labels_of(frame, schema)
        own = PassiveVariables(derived, present)
        encoded = encode(frame, present)
        every = np.ones(len(encoded), dtype=bool)
        for name in own.order:
            encoded[:, present.position(name)] = own.compute(name, encoded, every)
        computed = decode(encoded, present, frame.index)
        return frame.assign(**{name: computed[name] for name in own.order})

    return Derivation(tuple(derived), compute)


def _with_labels_of(frame: pd.DataFrame, schema: Schema) -> Schema:
    """Return a schema with the labels that a step has given to columns."""
    variables = []
    for variable in schema:
        if variable.is_categorical:
            labels = frame[variable.name].dropna().unique().tolist()
            known = dict.fromkeys((*variable.categories, *labels))
            variables.append(replace(variable, categories=tuple(known)))
        else:
            variables.append(variable)
    return Schema(tuple(variables))


def check_steps(spec: ReleaseSpec, schema: Schema, matrix: np.ndarray) -> None:
    """Refuse steps that cannot work on the columns they name, before anything is drawn.

    Parameters
    ----------
    spec : ReleaseSpec
        Holds the steps.
    schema : Schema
        The variables.
    matrix : ndarray of shape (n_rows, n_variables)
        Complete data of the same kind, to try on.
    """
    if not spec.sdc:
        return
    frame = decode(matrix, schema)
    partial = bool(spec.synthesis.keep) or spec.synthesis.rows is not None
    try:
        if partial and any(isinstance(step, RedrawReplicatedUniques) for step in spec.sdc):
            raise SpecError(
                "rows of a partial synthesis cannot be drawn anew: use drop_replicated_uniques"
            )
        control(
            frame,
            frame.head(1),
            schema,
            complete_steps(spec, schema),
            seed=0,
            set_number=1,
            derivation=derive_passive(spec, schema),
            redraw=lambda n_rows, _: frame.head(n_rows),
        )
    except SynthError as error:
        raise SpecError(f"sdc: {error}") from None


def control_drawn(
    spec: ReleaseSpec,
    schema: Schema,
    real: pd.DataFrame,
    drawn: pd.DataFrame,
    fitted: object,
    *,
    seed: int,
    set_number: int,
    imputation: int = 1,
    steps: Sequence[Step] | None = None,
) -> Controlled:
    """Apply the steps of a specification to a set that was drawn.

    Parameters
    ----------
    spec : ReleaseSpec
        Holds the steps.
    schema : Schema
        The variables.
    real, drawn : DataFrame
        The real data and the set.
    fitted : object
        The synthesizer, to draw rows anew.
    seed : int
        Root seed.
    set_number : int
        Number of the set.
    imputation : int, default 1
        Which completed data the synthesizer was fitted on.
    steps : sequence of Step, optional
        Those of the specification if not given.

    Returns
    -------
    Controlled
    """
    return control(
        real,
        drawn,
        schema,
        complete_steps(spec, schema) if steps is None else steps,
        seed=seed,
        set_number=set_number,
        derivation=derive_passive(spec, schema),
        redraw=redraw_from(fitted, schema, imputation),
    )


def redraw_from(fitted: object, schema: Schema, imputation: int) -> Redraw | None:
    """Return what draws rows anew; None where rows depend on real ones, or on strata.

    Parameters
    ----------
    fitted : object
        A synthesizer of any kind.
    schema : Schema
        The variables.
    imputation : int
        Which completed data it was fitted on.
    """
    if not isinstance(fitted, Synthesizer) or not fitted.plan.replaced.all():
        return None

    def draw(n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
        own_seed = int.from_bytes(rng.bytes(16), "big")
        return decode(fitted.draw(own_seed, 1, imputation, k=n_rows), schema)

    return draw
