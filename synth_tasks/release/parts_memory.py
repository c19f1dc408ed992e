"""Predicting the largest memory of a release in parts: no step holds the table, but some hold parts."""

from __future__ import annotations

from synth_tasks.release.cost import CELL, program_gb
from synth_tasks.release.parts import GROUP_ROWS
from synth_tasks.release.parts_cost import PartsWorkload
from synth_tasks.release.sources.streams import BATCH_ROWS

# Of the largest stratum that is worked on, for each worker: fitting and measuring.
STRATUM_COPIES = 20.0
# Of the columns of an analysis in one table: what is read, decoded and made a design of.
ANALYSIS_COPIES = 8.0
# Of the sample of all strata: classifiers, propensities and pictures.
SAMPLE_COPIES = 120.0
# Of a piece of the source: as it is read, as a data frame with objects, described, and encoded.
PIECE_COPIES = 25.0


def parts_peak_gb(work: PartsWorkload) -> float:
    """Predict the largest memory of a release in parts.

    Parameters
    ----------
    work : PartsWorkload
        The size of the work.

    Returns
    -------
    float
        Gigabytes: of the programs, and of the step that needs most.
    """
    return program_gb(work.whole) + max(_steps(work).values())


def largest_step(work: PartsWorkload) -> str:
    """Return which step needs most memory: `reading`, `strata`, `sample` or `analysis`."""
    steps = _steps(work)
    return max(steps, key=lambda step: steps[step])


def _steps(work: PartsWorkload) -> dict[str, float]:
    return {
        "reading": _reading(work),
        "strata": _strata(work),
        "sample": _sample(work),
        "analysis": _analysis(work),
    }


def _reading(work: PartsWorkload) -> float:
    """Return the memory of a piece, and of the rows of each stratum that wait to be written."""
    waiting = sum(min(n, GROUP_ROWS) for n in work.sizes)
    piece = PIECE_COPIES * min(work.whole.n_rows, BATCH_ROWS)
    return CELL * work.whole.n_columns * (waiting + piece)


def _strata(work: PartsWorkload) -> float:
    largest = max(work.sizes) * work.whole.n_columns
    return work.together * STRATUM_COPIES * CELL * largest


def _sample(work: PartsWorkload) -> float:
    rows = min(work.whole.n_rows, work.sample_rows)
    return SAMPLE_COPIES * CELL * rows * work.whole.n_columns


def _analysis(work: PartsWorkload) -> float:
    tables = work.whole.n_sets + work.whole.imputations
    return CELL * work.whole.n_rows * max(work.analysed, default=0) * (ANALYSIS_COPIES + tables)
