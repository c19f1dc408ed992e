"""The plan of a release on halves of the data, as a control for its disclosure figures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synth_tasks.data import Schema, decode, encode
from synth_tasks.disclosure import CrossFit, cross_fit, divide_in_halves
from synth_tasks.engine import fit_synthesizer, make_portable
from synth_tasks.engine.workers import one_native_thread
from synth_tasks.errors import SpecError, SynthError
from synth_tasks.release.disclosure_control import complete_steps, control_drawn
from synth_tasks.release.plans import plan_synthesis
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.sdc import MergeRareLevels
from synth_tasks.seeding import generator

STAGE = "assessment"


def synthesise_halves(
    spec: ReleaseSpec, schema: Schema, matrix: np.ndarray, imputed: np.ndarray, seed: int
) -> CrossFit:
    """Synthesise each half of the data by the plan of the release, disclosure control included.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    schema : Schema
        The variables.
    matrix : ndarray of shape (n_rows, n_variables)
        Completed data, encoded.
    imputed : ndarray of bool of shape (n_rows, n_variables)
        Cells that were filled in; see `synth_tasks.engine.fit_synthesizer`.
    seed : int
        Root seed.

    Returns
    -------
    CrossFit
        The halves and their sets, for `synth_tasks.disclosure.assess_excess`.

    Raises
    ------
    SpecError
        If a half cannot be synthesised, for instance because it lacks a category.
    """
    # Merged levels would be other ones in each half; without that step the figures are cautious.
    steps = [s for s in complete_steps(spec, schema) if not isinstance(s, MergeRareLevels)]

    # Addresses end with the number of the half.
    imputed_in = [imputed[half] for half in divide_in_halves(len(matrix), seed, STAGE)]
    donor_free = spec.synthesis.donor_free

    def synthesise(train: pd.DataFrame, address: tuple[str | int, ...]) -> list[pd.DataFrame]:
        encoded = encode(train, schema)
        plan = plan_synthesis(spec, schema, encoded)
        own_seed = int.from_bytes(generator(seed, *address).bytes(16), "big")
        with one_native_thread():
            fitted = fit_synthesizer(
                plan,
                encoded,
                spec.run.workers,
                imputed=imputed_in[int(address[-1]) - 1],
                only_observed=donor_free,
            )
            drawn_from = make_portable(fitted) if donor_free else fitted
            numbers = range(1, spec.synthesis.m + 1)
            sets = [decode(s, schema) for s in drawn_from.draw_sets(own_seed, numbers)]
        return [
            control_drawn(
                spec, schema, train, drawn, fitted, seed=own_seed, set_number=number, steps=steps
            ).frame
            for number, drawn in enumerate(sets, start=1)
        ]

    try:
        return cross_fit(decode(matrix, schema), schema, synthesise, seed, STAGE)
    except SynthError as error:
        raise SpecError(
            f"disclosure.cross_fit: a half of the data cannot be synthesised: {error}; or set "
            "disclosure.cross_fit to false, and name a policy that does without a control"
        ) from None
