"""Predicting how long a release takes and how much memory it needs.

Every stage costs a constant times the operation that it repeats most often. The constants are the
processor time of each stage on one core of an Intel Xeon, Python 3.11, for tables of 748 x 9, of 1000
to 1,000,000 rows and 10 to 100 columns, and of up to 200 levels, synthesised by cart with ten rows a
leaf. On an idle machine of that kind a prediction is right within a factor of two; measure again with
``python -m tests.benchmarks.predicted_cost``, whole releases with ``--releases`` behind it. Other
methods count as cart, forests as ten of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from synth_tasks.disclosure.linkage import MAX_ROWS

# Seconds; an operation is named in the comment behind.
START = 10.0  # imports of Prefect, a temporary server, the machine code of the trees
SUITE = 0.3  # one validation by Great Expectations
SUITE_COLUMN = 0.011  # a column that it validates
REPORTS = 6.0  # pictures, reports and checksums
READ = 2.5e-7  # a cell read, described, and its models tried
REHEARSAL = 0.03  # a variable of the models tried on 1000 rows
IMPUTE = 9e-8  # a row of one column that is filled from, in a sweep
IMPUTE_VARIABLE = 6e-3  # a variable, in a sweep
FIT = 3.5e-9  # a row of one predictor, times the binary logarithm of the rows
FIT_VARIABLE = 1e-3
FIT_LEVEL = 2.5e-9  # a row, for each category of a variable
FIT_CATEGORY = 3e-4  # a category of a variable
DRAW = 1.2e-7  # a cell of a set
LINK = 1.4e-9  # a cell compared with a cell
MEASURE = 8e-7  # a cell of a set, in measures of utility and disclosure
MEASURE_COLUMN = 0.03  # a column of a set, in samples of which those are made
WRITE = 6.5e-7  # a cell of a set
ANALYSE = 1e-7  # a cell that an analysis reads, about three columns of each set

ANALYSED_COLUMNS = 10
# Processor seconds of a worker that is a process: it begins, and imports what it works with.
START_WORKER = {"threads": 0.0, "processes": 5.5, "dask": 6.5, "ray": 6.5}
CELL = 8e-9  # gigabytes
PROGRAM = 0.63  # gigabytes of Prefect, Great Expectations and the libraries beneath, in a process
ENGINE_PROGRAM = 0.32
ENGINE_COPIES = 5.0  # of the table: its columns sorted, leaves, donors
SET_COPIES = 1.4
RELEASE_COPIES = 6.0
ASSESSED_COPIES = 9.0  # for each set that is measured at the same time


@dataclass(frozen=True)
class Workload:
    """What decides the cost of a release.

    Parameters
    ----------
    n_rows, n_columns : int
        Size of the table.
    fitted : int
        Number of variables with a model.
    predictors : int
        Sum of their numbers of predictors; forests count ten times.
    levels : int
        Sum of their numbers of categories.
    imputed : int
        Number of variables with holes that a model fills.
    imputed_columns : int
        Sum of the numbers of columns that they are filled from; a category is one for regressions.
    maxit : int
        Sweeps of the imputation.
    imputations : int
        Completed data sets.
    m : int
        Synthetic sets of each.
    analyses : int
        Number of analyses.
    workers : int
        Threads, and tasks at a time.
    cores : int
        Of the machine.
    runner : str
        One of `synth_tasks.release.runner_options.RUNNERS`, whose workers are started for the run;
        threads where a cluster that is there does the work.
    """

    n_rows: int
    n_columns: int
    fitted: int
    predictors: int
    levels: int = 0
    imputed: int = 0
    imputed_columns: int = 0
    maxit: int = 1
    imputations: int = 1
    m: int = 5
    analyses: int = 0
    workers: int = 2
    cores: int = 2
    runner: str = "threads"

    @property
    def n_processes(self) -> int:
        """Number of processes that this machine starts beside that of the flow."""
        return 0 if self.runner == "threads" else self.workers

    @property
    def n_sets(self) -> int:
        """Number of synthetic sets."""
        return self.imputations * self.m

    @property
    def cells(self) -> int:
        """Number of cells of the table."""
        return self.n_rows * self.n_columns

    def at_a_time(self, tasks: int) -> int:
        """Return how many of some tasks can really run at the same time."""
        return max(1, min(tasks, self.workers, self.cores))


@dataclass(frozen=True)
class Cost:
    """A prediction.

    Parameters
    ----------
    seconds : dict of str to float
        Elapsed time by stage, on an idle machine.
    peak_gb : float
        Largest memory.
    """

    seconds: dict[str, float]
    peak_gb: float

    @property
    def total(self) -> float:
        """All seconds together."""
        return sum(self.seconds.values())


def model_seconds(n_rows: int, predictors: int, levels: int = 0, variables: int = 1) -> float:
    """Predict the fits of models by one worker.

    Parameters
    ----------
    n_rows : int
        Rows that they learn from.
    predictors : int
        Sum of the numbers of predictors; forests count ten times.
    levels : int, default 0
        Sum of the numbers of categories of what they predict.
    variables : int, default 1
        Number of models.
    """
    sorted_cells = n_rows * math.log2(max(n_rows, 2)) * predictors
    by_category = (FIT_LEVEL * n_rows + FIT_CATEGORY) * levels
    return FIT * sorted_cells + FIT_VARIABLE * variables + by_category


def sweep_seconds(n_rows: int, columns: int, variables: int = 1) -> float:
    """Predict the imputation of variables in one sweep.

    Parameters
    ----------
    n_rows : int
        Rows that they learn from.
    columns : int
        Sum of the numbers of columns that they are filled from, see `Workload`.
    variables : int, default 1
        Number of models.
    """
    return IMPUTE * n_rows * columns + IMPUTE_VARIABLE * variables


def start_seconds(work: Workload) -> float:
    """Predict how long Prefect and the workers take to start."""
    return START + START_WORKER[work.runner] * work.workers / min(work.workers, work.cores)


def synthesis_cost(work: Workload) -> Cost:
    """Predict fitting and drawing by the engine alone.

    Parameters
    ----------
    work : Workload
        The size of the work.

    Returns
    -------
    Cost
        By the stages ``fit`` and ``draw``.
    """
    fit = model_seconds(work.n_rows, work.predictors, work.levels, work.fitted)
    draw = DRAW * work.cells
    copies = ENGINE_COPIES + SET_COPIES * work.m
    return Cost(
        {
            "fit": work.imputations * fit / work.at_a_time(work.fitted),
            "draw": work.n_sets * draw / work.at_a_time(work.n_sets),
        },
        ENGINE_PROGRAM + CELL * work.cells * copies,
    )


def release_cost(work: Workload) -> Cost:
    """Predict a whole release.

    Parameters
    ----------
    work : Workload
        The size of the work.

    Returns
    -------
    Cost
        By stages; suites are counted where they are judged.
    """
    cells, sets = work.cells, work.n_sets
    together = work.at_a_time(sets)
    sweeps = work.imputations * work.maxit / work.at_a_time(work.imputations)
    impute = sweep_seconds(work.n_rows, work.imputed_columns, work.imputed)
    link = LINK * min(work.n_rows, MAX_ROWS) * cells
    measure = MEASURE * cells + MEASURE_COLUMN * work.n_columns
    suite = SUITE + SUITE_COLUMN * work.n_columns
    engine = synthesis_cost(work)
    seconds = {
        "start Prefect": start_seconds(work),
        # Checked before anything is started, and read again by the flow.
        "read and check": 2 * READ * cells + REHEARSAL * (work.fitted + work.imputed) + suite,
        "impute": sweeps * impute + work.imputations * suite,
        **engine.seconds,
        "measure": sets * (link + measure + suite) / together + link + SUITE,
        "analyse": ANALYSE * ANALYSED_COLUMNS * work.n_rows * sets * work.analyses,
        "publish": REPORTS + WRITE * cells * sets,
    }
    return Cost(seconds, peak_gb(work))


def peak_gb(work: Workload) -> float:
    """Predict the largest memory of a whole release, in gigabytes."""
    together = work.at_a_time(work.n_sets)
    copies = RELEASE_COPIES + SET_COPIES * work.n_sets + ASSESSED_COPIES * together
    return program_gb(work) + CELL * work.cells * copies


def program_gb(work: Workload) -> float:
    """Return the memory of the programs, in gigabytes: of the flow, and of each worker process."""
    return PROGRAM * (1 + work.n_processes)
