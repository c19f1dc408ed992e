"""Which variables learn from which, as a specification says it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_tasks.data import Schema
from synth_tasks.data.correlation import PairSums
from synth_tasks.engine import block_predictors
from synth_tasks.engine.predictor_choice import association, choose_by_correlation, keep_strongest
from synth_tasks.engine.setup import order_columns
from synth_tasks.engine.workers import one_native_thread
from synth_tasks.release.required import require_columns
from synth_tasks.release.sections import ModelsSpec, SynthesisSpec

Entries = dict[str, dict[str, int]]


def predictor_entries(
    s: ModelsSpec, schema: Schema, matrix: np.ndarray, targets: np.ndarray
) -> Entries:
    """Return the entries of the predictor matrix that a section of the specification asks for.

    Blocks and correlations say what may be used, `max_predictors` keeps the strongest of that, and what
    is stated in `predictor_matrix` counts more than all of them.

    Parameters
    ----------
    s : ModelsSpec
        Imputation or synthesis.
    schema : Schema
        The variables.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data.
    targets : ndarray of bool of shape (n_variables,)
        Variables that need predictors.

    Returns
    -------
    dict of str to dict of str to int
        Entries by target and predictor; those that are not given are 1.
    """
    stated: Entries = {target: {**row} for target, row in s.predictor_matrix.items()}
    require_columns("predictor_matrix", list(stated), schema)
    if s.quick_predictors is None and s.blocks is None and s.max_predictors is None:
        return stated
    chosen = _chosen(s, schema, matrix)
    chosen[~targets] = False
    rows = {
        target: dict(zip(schema.names, map(int, row), strict=True))
        for target, row in zip(schema.names, chosen, strict=True)
    }
    return {target: row | stated.get(target, {}) for target, row in rows.items()}


def _chosen(s: ModelsSpec, schema: Schema, matrix: np.ndarray) -> np.ndarray:
    """Return what may be used, of shape (n_variables, n_variables); row: target."""
    names, quick, blocks = schema.names, s.quick_predictors, s.blocks
    chosen = ~np.eye(len(names), dtype=bool)
    include: Sequence[str] = ()
    if blocks is not None:
        chosen &= block_predictors(names, blocks.groups, blocks.always).to_numpy() == 1
        include = blocks.always
    if quick is None and s.max_predictors is None:
        return chosen
    with one_native_thread():
        sums = PairSums.of(matrix)
    if quick is not None:
        require_columns("quick_predictors: include", quick.include, schema)
        require_columns("quick_predictors: exclude", quick.exclude, schema)
        include = [*include, *quick.include]
        strong = choose_by_correlation(sums, len(matrix), quick.mincor, quick.minpuc)
        strong[:, _positions(include, schema)] = True
        chosen &= strong
        chosen[:, _positions(quick.include, schema)] = True
        chosen[:, _positions(quick.exclude, schema)] = False
        np.fill_diagonal(chosen, False)
    if s.max_predictors is not None:
        usable = chosen & _known_before(s, schema)
        always = _positions(include, schema)
        chosen = keep_strongest(usable, association(sums), s.max_predictors, always)
    return chosen


def _known_before(s: ModelsSpec, schema: Schema) -> np.ndarray:
    """Mark what a variable can be drawn from, so that the cap does not count what comes after it.

    A synthesis draws variables from those before it and those that are kept; an imputation, and a
    synthesis given the observed values, from all.
    """
    everything = ~np.eye(len(schema), dtype=bool)
    if not isinstance(s, SynthesisSpec) or s.conditioning == "observed":
        return everything
    if isinstance(s.visit_sequence, str):
        order = order_columns(schema.names, np.zeros(len(schema)), s.visit_sequence)
    else:
        order = [name for name in s.visit_sequence if name in schema]
    order += [name for name in schema.names if name not in order]
    place = np.empty(len(schema))
    place[_positions(order, schema)] = np.arange(1, len(schema) + 1)
    place[_positions([name for name in s.keep if name in schema], schema)] = 0
    return np.asarray((place[None, :] < place[:, None]) & everything)


def _positions(names: Sequence[str], schema: Schema) -> list[int]:
    return [schema.position(name) for name in names]
