"""Multiple imputation by chained equations, and synthesis."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from synth_tasks.data import Schema, check_table, encode, infer_schema
from synth_tasks.engine.chain import ChainResult, impute
from synth_tasks.engine.imputed import MultiplyImputed, make_provenance
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent
from synth_tasks.engine.planning import make_plan
from synth_tasks.engine.synthesis import Synthesizer, fit_synthesizer
from synth_tasks.errors import PlanError
from synth_tasks.seeding import draw_seed

Progress = Callable[[str, int, int], None]


def mice(
    data: pd.DataFrame,
    m: int = 5,
    maxit: int = 5,
    method: str | Sequence[str] | Mapping[str, str] | None = None,
    predictor_matrix: pd.DataFrame | None = None,
    where: str | pd.DataFrame | np.ndarray = "missing",
    visit_sequence: str | Sequence[str] = "roman",
    post: Mapping[str, str] | None = None,
    ignore: Sequence[bool] | np.ndarray | None = None,
    conditioning: str = "synthetic",
    proper: bool = False,
    k: int | None = None,
    schema: Schema | None = None,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    method_options: Mapping[str, Mapping[str, Any]] | None = None,
) -> MultiplyImputed:
    """Fill in missing cells, replace observed ones, or both.

    Parameters
    ----------
    data : DataFrame of shape (n_rows, n_columns)
        Numbers, categories, booleans, date-times; missing values as NA.
    m : int, default 5
        Number of imputations, or of synthetic sets.
    maxit : int, default 5
        Sweeps over the missing cells. A synthesis is one sequential pass whatever `maxit`.
    method : str, sequence or mapping, optional
        One method for all, one per column, or by column; `make_method` gives the default by kind. A
        text starting with ``~`` is the formula of a passive variable, e.g.
        ``{"bmi": "~ wgt / (hgt/100)**2"}``; the empty text leaves the column as it is.
    predictor_matrix : DataFrame of 0 and 1, optional
        Row: variable to be imputed, column: its predictors; all by default. A mapping of rows may
        name the entries that differ.
    where : {"missing", "all", "none", "observed"} or table of bool, default "missing"
        Cells to fill in. Observed ones among them are replaced by synthetic values.
    visit_sequence : {"roman", "arabic", "monotone", "revmonotone"} or sequence, default "roman"
        Order of imputation.
    post : mapping, optional
        Formula applied to the values drawn, e.g. ``{"tv": "clip(tv, 1, 25)"}``.
    ignore : sequence of bool, optional
        Rows that no model is fitted on; they are imputed all the same.
    conditioning : {"synthetic", "observed"}, default "synthetic"
        What synthetic values are drawn given. "observed" is the scheme of R's mice: every cell given
        the real values of its row. It links each synthetic row to a person and weakens correlations;
        use it for comparison only.
    proper : bool, default False
        Fit methods that do not draw their parameters (cart, sample, polyreg, polr) on a bootstrap
        sample: for every synthetic set, which the rule of Reiter (2003) does not need, and in every
        sweep over missing cells, which Rubin's rule does.
    k : int, optional
        Rows of a synthetic set, if all cells are replaced; as many as the data have by default.
    schema : Schema, optional
        Inferred if not given.
    seed : int, optional
        Equal seeds give equal results; drawn from the operating system if not given.
    workers : int, default 1
        Threads. The result does not depend on it.
    progress : callable, optional
        Called with a stage ("imputation", "fit", "draw"), the steps done and their number.
    method_options : mapping, optional
        Options by method, e.g. ``{"cart": {"minbucket": 3, "cp": 1e-8}}``.

    Returns
    -------
    MultiplyImputed

    Raises
    ------
    DataError, PlanError, ExpressionError
        Before long work starts, naming the column, the setting and the remedy.

    Notes
    -----
    Incomplete data with replaced cells are worked on in two stages: `m` imputations, each synthesised
    once. For valid inference impute once and synthesise the completed data.

    References
    ----------
    van Buuren & Groothuis-Oudshoorn (2011). Journal of Statistical Software 45(3).
    Volker & Vink (2021). Anonymiced shareable data: using mice to create and analyze multiply imputed
    synthetic datasets. Psych 3(4), 703-716.

    Examples
    --------
    >>> from synth_tasks import mice
    >>> from synth_tasks.datasets import load_boys
    >>> imputed = mice(load_boys(), m=2, maxit=1, seed=1)
    >>> int(imputed.complete(1).isna().sum().sum())
    0
    """
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise PlanError("workers must be a whole number of 1 or more")
    check_table(data)
    schema = schema or infer_schema(data)
    matrix = encode(data, schema)
    plan = make_plan(
        schema,
        np.isnan(matrix),
        m=m,
        maxit=maxit,
        method=method,
        predictor_matrix=predictor_matrix,
        where=where,
        visit_sequence=visit_sequence,
        post=post,
        ignore=ignore,
        conditioning=conditioning,
        proper=proper,
        k=k,
        method_options=method_options,
    )
    if plan.synthesises and plan.conditioning == "observed":
        warnings.warn(
            "conditioning='observed' draws each cell given the real values of its row: synthetic rows "
            "stay linked to persons; do not publish them",
            stacklevel=2,
        )
    if seed is not None and (not isinstance(seed, (int, np.integer)) or seed < 0):
        raise PlanError("seed must be a whole number of 0 or more")
    seed = draw_seed() if seed is None else int(seed)
    return run_plan(plan, matrix, data.index, seed, workers, progress)


def synthesize(
    data: pd.DataFrame,
    m: int = 5,
    method: str | Sequence[str] | Mapping[str, str] = "cart",
    **settings: Any,
) -> MultiplyImputed:
    """Replace every cell of a complete data set by synthetic values.

    Parameters
    ----------
    data : DataFrame
        Complete data.
    m : int, default 5
        Number of synthetic sets.
    method : str, sequence or mapping, default "cart"
        See `mice`; columns a mapping does not name are drawn by cart.
    **settings
        Further arguments of `mice`.

    Returns
    -------
    MultiplyImputed
    """
    if isinstance(method, Mapping):
        method = {str(name): "cart" for name in data.columns} | dict(method)
    merged: dict[str, Any] = {"maxit": 1, "where": "all"} | settings
    return mice(data, m=m, method=method, **merged)


def run_plan(
    plan: ImputationPlan,
    matrix: np.ndarray,
    index: pd.Index,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
) -> MultiplyImputed:
    """Execute a plan on encoded data.

    Parameters
    ----------
    plan : ImputationPlan
        What to do.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data.
    index : Index
        Row labels of the data.
    seed : int
        Root seed.
    workers : int, default 1
        Threads.
    progress : callable, optional
        See `mice`.

    Returns
    -------
    MultiplyImputed
    """
    chains: list[ChainResult] = []
    sets: list[np.ndarray] = []
    events: list[LoggedEvent] = list(plan.events)
    numbers = range(1, plan.m + 1)
    # Native threads beside ours would compete with them; one each is fastest and always the same.
    with threadpool_limits(1), ThreadPoolExecutor(max_workers=workers) as pool:
        if plan.incomplete:
            count = _counter(progress, "imputation", plan.m * plan.maxit * len(plan.incomplete))
            chains = list(pool.map(lambda i: impute(plan, matrix, seed, i, count), numbers))
            sets = [chain.matrix for chain in chains]
        if plan.synthesises:
            synthesizers = _fit_all(plan, sets or [matrix], workers, progress)
            count = _counter(progress, "draw", plan.m)
            draw = partial(_draw_set, synthesizers, seed, count)
            sets = list(pool.map(draw, numbers))
            events += [event for s in synthesizers for event in s.events]
    if plan.k == plan.n_rows:
        sets = [_keep_holes(plan, s) for s in sets] or [matrix.copy() for _ in numbers]
    return MultiplyImputed(
        schema=plan.schema,
        sets=tuple(sets),
        provenance=make_provenance(plan, bool(plan.incomplete)),
        events=tuple(events + [event for chain in chains for event in chain.events]),
        # Row labels may name persons: they stay only where real cells stay too.
        index=pd.RangeIndex(plan.k) if plan.synthesises and plan.where.all() else index,
        original=None if plan.synthesises else matrix,
        chain_means=np.stack([c.means for c in chains], axis=-1) if chains else None,
        chain_variances=np.stack([c.variances for c in chains], axis=-1) if chains else None,
        chain_variables=tuple(plan.incomplete),
    )


def _fit_all(
    plan: ImputationPlan, sources: list[np.ndarray], workers: int, progress: Progress | None
) -> list[Synthesizer]:
    count = _counter(progress, "fit", len(sources) * len(plan.drawn))
    return [fit_synthesizer(plan, source, workers, count) for source in sources]


def _draw_set(
    synthesizers: list[Synthesizer], seed: int, count: Callable[[], None], number: int
) -> np.ndarray:
    """Draw set `number`: from its own imputation, or from the only completed data there are."""
    imputation = number if len(synthesizers) > 1 else 1
    drawn = synthesizers[imputation - 1].draw(seed, number, imputation)
    count()
    return drawn


def _keep_holes(plan: ImputationPlan, completed: np.ndarray) -> np.ndarray:
    """Give missing cells outside `where` back their hole: they were filled to predict others only."""
    return np.where(plan.missing & ~plan.where, np.nan, completed)


def _counter(progress: Progress | None, stage: str, total: int) -> Callable[[], None]:
    """Return a function that reports one more step, from whatever thread."""
    lock, done = threading.Lock(), 0

    def count() -> None:
        nonlocal done
        with lock:
            done += 1
            if progress is not None:
                progress(stage, done, total)

    return count
