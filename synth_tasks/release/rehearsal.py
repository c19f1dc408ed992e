"""Trying the models of a release on some rows, so that what cannot work is found at once.

Whether a method understands its predictors, or a formula its columns, is known only when it is fitted.
The models are therefore fitted once to some rows that have no holes, before anything is started.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from synth_tasks.data import Schema
from synth_tasks.engine import ImputationPlan, fit_synthesizer, make_portable
from synth_tasks.engine.fitting import fit_variable, training_rows
from synth_tasks.engine.plan import is_formula
from synth_tasks.engine.workers import one_native_thread
from synth_tasks.errors import SynthError
from synth_tasks.release.spec import ReleaseSpec

MOST_ROWS = 1000
LEAST_ROWS = 100


def rows_to_try(matrix: np.ndarray, schema: Schema) -> np.ndarray:
    """Return the numbers of up to 1000 rows without holes, spread over the table; none if too few."""
    whole = np.flatnonzero(~schema.holes(matrix).any(axis=1))
    if len(whole) < LEAST_ROWS:
        return whole[:0]
    return whole[np.unique(np.linspace(0, len(whole) - 1, MOST_ROWS).astype(int))]


def try_imputation(plan: ImputationPlan, matrix: np.ndarray, rows: np.ndarray) -> None:
    """Fit the model of every incomplete variable, and compute the passive ones.

    Parameters
    ----------
    plan : ImputationPlan
        Of the imputation.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data.
    rows : ndarray of int
        From `rows_to_try`.

    Raises
    ------
    SynthError
        Naming the section, the column and the remedy.
    """
    some, everywhere = matrix[rows], np.ones(len(rows), dtype=bool)
    part = plan.of_whole_rows(rows)
    if part.ignore.all():
        return
    with _blaming("imputation"):
        for name in plan.visit_sequence:
            if is_formula(plan.methods[name]):
                part.passive.compute(name, some, everywhere)
            else:
                chosen = training_rows(part, name, some, everywhere)
                fit_variable(part, name, plan.predictors[name], some, chosen, _discard)


def try_synthesis(
    spec: ReleaseSpec, plan: ImputationPlan, matrix: np.ndarray, rows: np.ndarray
) -> None:
    """Fit the synthesizer and draw a set, without strata; see `try_imputation`."""
    part = plan.of_whole_rows(rows)
    if part.ignore.all():
        return
    with _blaming("synthesis"):
        fitted = fit_synthesizer(part, matrix[rows])
        drawn_from = make_portable(fitted) if spec.synthesis.donor_free else fitted
        drawn_from.draw(0, 1)


def _discard(event: str) -> None:
    """Take a remark; it is made again when all rows are fitted."""


@contextmanager
def _blaming(section: str) -> Iterator[None]:
    """Say in which section of the specification an error lies."""
    with one_native_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except SynthError as error:
            raise type(error)(f"{section}: {error}") from None
