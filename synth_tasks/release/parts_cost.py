"""Predicting how long a release in parts takes: sums over its strata.

Strata differ in size, and what a stratum costs does not grow as its rows do: models by n log n, links
by a sample of its rows compared with all of them, measures and the control by samples. Constants that
only a release in parts has are here; they were taken like those of `synth_tasks.release.cost`, from
releases of a synthetic census of 100,000 and 1,000,000 rows and 20 columns in 20 strata, a single set.
Measure again with
``python -m tests.benchmarks.predicted_cost --releases``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synth_tasks.release.cost import (
    DRAW,
    REHEARSAL,
    REPORTS,
    SUITE,
    SUITE_COLUMN,
    Workload,
    model_seconds,
    start_seconds,
    sweep_seconds,
)
from synth_tasks.release.part_samples import CONTROL_ROWS, linked_rows

# Processor seconds; an operation is named in the comment behind.
READ_PIECE = 5e-8  # a cell of a piece that is read and described
TYPES = 2e-6  # a cell of a CSV file that is read as text, to find its type
STORE = 1.2e-7  # a cell that is encoded, hashed and stored with its stratum
SUITE_AGAIN = 0.06  # one validation by Great Expectations, after the first
SUITE_CELL = 9e-8  # a cell that it validates
SUMMARISE = 1e-7  # a cell of a table that is sketched and counted
DISCLOSE = 5e-7  # a cell of a set, in measures of disclosure of all rows
SAMPLED = 3e-7  # a cell of a sample of a stratum, in measures of utility
SAMPLED_COLUMN = 0.004  # a column of it
OF_ALL = 1e-5  # a cell of a sample of all strata: propensities, classifiers, pictures
LINK_CELL = 2.5e-10  # a cell compared with a cell, of categories and rounded numbers
ATTACK = 8e-6  # a cell of the control, in attacks on it
WRITE_CELL = 1e-7  # a cell that is shuffled, written and hashed
ANALYSE_CELL = 2e-7  # a cell that an analysis reads, decodes and fits


@dataclass(frozen=True)
class PartsWorkload:
    """What decides the cost of a release in parts.

    Parameters
    ----------
    whole : Workload
        Of the table with all its rows.
    sizes : tuple of int
        Rows of each stratum.
    sample_rows : int
        `partition.sample_rows`.
    cross_fit : bool
        Whether each stratum has a control.
    types : bool
        Whether the types of columns are found by reading the source once more, as of CSV.
    analysed : tuple of int
        Columns that each analysis reads.
    """

    whole: Workload
    sizes: tuple[int, ...]
    sample_rows: int = 50_000
    cross_fit: bool = True
    types: bool = False
    analysed: tuple[int, ...] = ()

    @property
    def together(self) -> int:
        """Number of strata that are really worked on at the same time."""
        return self.whole.at_a_time(len(self.sizes))


def parts_cost(work: PartsWorkload) -> dict[str, float]:
    """Predict the time of a whole release in parts.

    Parameters
    ----------
    work : PartsWorkload
        The size of the work.

    Returns
    -------
    dict of str to float
        Elapsed seconds by stage, on an idle machine. Of what is done stratum by stratum the largest
        stratum takes no less than its own time, for one worker has it.
    """
    whole = work.whole
    return {
        "start Prefect": start_seconds(whole),
        "read and check": _read_seconds(work),
        "suites": SUITE + _over_strata(work, _suite_seconds),
        "impute": _over_strata(work, _impute_seconds),
        "fit": _over_strata(work, _fit_seconds),
        "draw": _over_strata(work, lambda n, w: w.whole.n_sets * DRAW * n * w.whole.n_columns),
        "summarise": _over_strata(work, _summary_seconds),
        "measure": _over_strata(work, _measure_seconds) + _whole_seconds(work),
        "link": _over_strata(work, _link_seconds),
        "cross-fit": _over_strata(work, _control_seconds) if work.cross_fit else 0.0,
        "analyse": ANALYSE_CELL
        * whole.n_rows
        * (whole.imputations + whole.n_sets)
        * sum(work.analysed),
        "publish": REPORTS + WRITE_CELL * whole.cells * whole.n_sets,
    }


def _over_strata(work: PartsWorkload, seconds: Callable[[int, PartsWorkload], float]) -> float:
    """Return the elapsed time of what is done for each stratum, given the time that one takes."""
    each = [seconds(n, work) for n in work.sizes]
    return max(sum(each) / work.together, *each)


def _read_seconds(work: PartsWorkload) -> float:
    """Return the time of three passes: surveys before the start and by the flow, and the storing.

    Each survey tries the models, and finds the types of a CSV file by a pass of its own.
    """
    whole = work.whole
    survey = READ_PIECE * whole.cells + REHEARSAL * (whole.fitted + whole.imputed)
    return 2 * survey + (2 * TYPES * work.types + STORE) * whole.cells


def _suite_seconds(n: int, work: PartsWorkload) -> float:
    """Return the time of the suites that judge a stratum: of its source, completed data and sets."""
    count, columns = 1 + work.whole.imputations + work.whole.n_sets, work.whole.n_columns
    return count * (SUITE_AGAIN + (SUITE_COLUMN + SUITE_CELL * n) * columns)


def _impute_seconds(n: int, work: PartsWorkload) -> float:
    whole = work.whole
    sweeps = whole.imputations * whole.maxit
    return sweeps * sweep_seconds(n, whole.imputed_columns, whole.imputed)


def _fit_seconds(n: int, work: PartsWorkload) -> float:
    whole = work.whole
    each = model_seconds(n, whole.predictors, whole.levels, whole.fitted)
    return whole.imputations * each


def _summary_seconds(n: int, work: PartsWorkload) -> float:
    """Return the time of sketches and counts: of the real table once more, to find the cells."""
    return SUMMARISE * n * work.whole.n_columns * (1 + 2 * work.whole.n_sets)


def _measure_seconds(n: int, work: PartsWorkload) -> float:
    sampled = SAMPLED * min(n, work.sample_rows) + SAMPLED_COLUMN
    return work.whole.n_sets * work.whole.n_columns * (DISCLOSE * n + sampled)


def _whole_seconds(work: PartsWorkload) -> float:
    """Return the time of what is measured of a sample of all strata, one set after the other."""
    rows = min(work.whole.n_rows, work.sample_rows)
    return OF_ALL * rows * work.whole.n_columns * work.whole.n_sets


def _link_seconds(n: int, work: PartsWorkload) -> float:
    """Return the time of searching neighbours for rows of each set, and of their average."""
    compared = linked_rows(n, work.sample_rows) * n * work.whole.n_columns
    return LINK_CELL * compared * (work.whole.n_sets + 1)


def _control_seconds(n: int, work: PartsWorkload) -> float:
    """Return the time of a cross-fit: models of two halves of a sample, their sets, the attacks."""
    whole, rows = work.whole, min(n, CONTROL_ROWS)
    fits = 2 * model_seconds(rows // 2, whole.predictors, whole.levels, whole.fitted)
    return fits + (DRAW + ATTACK) * rows * whole.n_columns * whole.m
