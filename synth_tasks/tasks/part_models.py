"""Completing, fitting, drawing and controlling strata: the tasks of a table for its parts.

A task run works on a chunk of strata. What a stratum becomes depends on seed and stratum alone, and
every stage of it is kept in the workspace: chunks, workers and a run that was killed change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.errors import SpecError, SynthError
from synth_tasks.release.parts import Stratum
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.seeding import generator
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.control import ControlledSet, control_set
from synth_tasks.tasks.impute import impute
from synth_tasks.tasks.synthesize import draw_set, fit
from synth_tasks.tasks.validate import validate


@dataclass(frozen=True)
class CompletedStratum:
    """A stratum without holes.

    Parameters
    ----------
    stratum : Stratum
        As it arrived.
    refs : list of DatasetRef
        Its completed rows, once for each imputation; none if the rows as they arrived are refused.
    suites : list of SuiteResult
        Verdicts on the rows as they arrived, and on the completed ones.
    """

    stratum: Stratum
    refs: list[DatasetRef]
    suites: list[SuiteResult]

    def bare(self) -> CompletedStratum:
        """Return it without verdicts: what is sent to workers."""
        return replace(self, suites=[])


@dataclass(frozen=True)
class DrawnStratum:
    """The synthetic sets of a stratum.

    Parameters
    ----------
    stratum : Stratum
        As it arrived.
    controlled : list of ControlledSet
        One for each set.
    suites : list of SuiteResult
        Verdicts on the sets.
    """

    stratum: Stratum
    controlled: list[ControlledSet]
    suites: list[SuiteResult]

    def bare(self) -> DrawnStratum:
        """Return it without verdicts: what is sent to workers."""
        return replace(self, suites=[])


@task(name="complete strata", task_run_name="complete {strata[0].name} ...", cache_policy=NO_CACHE)
def complete_strata(context: RunContext, strata: list[Stratum]) -> list[CompletedStratum]:
    """Judge the rows of some strata as they arrived, fill their holes, and judge them again.

    Parameters
    ----------
    context : RunContext
        The release.
    strata : list of Stratum
        Which.

    Returns
    -------
    list of CompletedStratum
    """
    return [_complete(context, stratum) for stratum in strata]


@confidential
def _complete(context: RunContext, stratum: Stratum) -> CompletedStratum:
    own = context.of_stratum(stratum.number)
    with naming(stratum):
        suites = [validate.fn(own, stratum.ref, "source", stratum.name)]
        if not suites[0].passed:  # the release ends when all strata are judged
            return CompletedStratum(stratum, [], suites)
        # All imputations of a stratum without a hole are the rows as they arrived.
        refs = [stratum.ref] * context.spec.imputation.m
        if stratum.holes:
            refs = impute.fn(own, stratum.ref).refs
        suites += [validate.fn(own, ref, "completed", stratum.name) for ref in refs]
    return CompletedStratum(stratum, refs, suites)


@task(name="fit strata", task_run_name="fit {completed[0].stratum.name} ...", cache_policy=NO_CACHE)
def fit_strata(context: RunContext, completed: list[CompletedStratum]) -> list[list[DatasetRef]]:
    """Fit the models of some strata.

    Parameters
    ----------
    context : RunContext
        The release.
    completed : list of CompletedStratum
        From `complete_strata`.

    Returns
    -------
    list of list of DatasetRef
        The synthesizers of each stratum, one for each imputation.
    """
    return [_fit(context, each) for each in completed]


@confidential
def _fit(context: RunContext, completed: CompletedStratum) -> list[DatasetRef]:
    own = context.of_stratum(completed.stratum.number)
    with naming(completed.stratum):
        return [fit.fn(own, ref, completed.stratum.ref) for ref in completed.refs]


@task(
    name="draw strata", task_run_name="draw {completed[0].stratum.name} ...", cache_policy=NO_CACHE
)
def draw_strata(
    context: RunContext,
    completed: list[CompletedStratum],
    synthesizers: list[list[DatasetRef]],
    sizes: list[list[int]],
) -> list[DrawnStratum]:
    """Draw all sets of some strata, control what they disclose, and judge them.

    Parameters
    ----------
    context : RunContext
        The release.
    completed : list of CompletedStratum
        From `complete_strata`.
    synthesizers : list of list of DatasetRef
        From `fit_strata`.
    sizes : list of list of int
        Rows to draw in each stratum, by set; from `draw_sizes`.

    Returns
    -------
    list of DrawnStratum
    """
    together = zip(completed, synthesizers, sizes, strict=True)
    return [_draw(context, *each) for each in together]


@confidential
def _draw(
    context: RunContext,
    completed: CompletedStratum,
    synthesizers: list[DatasetRef],
    sizes: list[int],
) -> DrawnStratum:
    own, m = context.of_stratum(completed.stratum.number), context.spec.synthesis.m
    controlled, suites = [], []
    with naming(completed.stratum):
        for number, rows in enumerate(sizes, start=1):
            imputation = 1 + (number - 1) // m
            real, fitted = completed.refs[imputation - 1], synthesizers[imputation - 1]
            drawn = draw_set.fn(own, fitted, imputation, number, rows)
            found = control_set.fn(own, real, fitted, imputation, number, drawn)
            controlled.append(found)
            suites.append(validate.fn(own, found.ref, "synthetic", completed.stratum.name))
    return DrawnStratum(completed.stratum, controlled, suites)


def draw_sizes(context: RunContext, strata: list[Stratum]) -> list[list[int]]:
    """Draw how many rows each stratum has in each set, as a synthesis of the whole table does.

    Where all cells are replaced the sizes are drawn, for real sizes are counts of people; where columns
    are kept, every row stays.

    Parameters
    ----------
    context : RunContext
        The release.
    strata : list of Stratum
        All of them.

    Returns
    -------
    list of list of int
        For each stratum, by set.

    Raises
    ------
    SpecError
        If a stratum gets no row.
    """
    spec, seed = context.spec, context.secrets().seed
    rows = np.array([stratum.rows for stratum in strata])
    sizes = []
    for number in range(1, spec.n_sets + 1):
        imputation, nth = 1 + (number - 1) // spec.synthesis.m, 1 + (number - 1) % spec.synthesis.m
        if spec.synthesis.keep:
            sizes.append(rows)
            continue
        rng = generator(seed, "strata", imputation, nth)
        sizes.append(rng.multinomial(spec.synthesis.k or rows.sum(), rows / rows.sum()))
    by_stratum = np.array(sizes).T
    if not by_stratum.all():
        raise SpecError(
            "synthesis.k is so small that a stratum has no row: raise it, or "
            "synthesis.min_stratum_size"
        )
    return [[int(n) for n in row] for row in by_stratum]


@contextmanager
def naming(stratum: Stratum) -> Iterator[None]:
    """Say in which stratum an error lies, by its number: a label is a value of the data."""
    try:
        yield
    except SynthError as error:
        raise type(error)(
            f"{stratum.name}: {error}; or merge small strata (synthesis.min_stratum_size)"
        ) from None
