"""Multiple imputation by chained equations, and synthesis."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.data import Label, Schema, check_table, encode, infer_schema
from synth_tasks.engine.chain import ChainResult, impute, nothing
from synth_tasks.engine.imputed import MultiplyImputed, keep_holes, make_provenance
from synth_tasks.engine.levels import never_drawn
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent
from synth_tasks.engine.planning import plan_and_fill
from synth_tasks.engine.synthesis import fit_synthesizer
from synth_tasks.engine.synthesizer import AnySynthesizer
from synth_tasks.engine.workers import Executors, check_workers, one_native_thread, run_all
from synth_tasks.errors import PlanError
from synth_tasks.seeding import draw_seed

Progress = Callable[[str, int, int], None]
ROWS_AT_ONCE = 20_000


def mice(
    data: pd.DataFrame,
    m: int = 5,
    maxit: int = 5,
    method: str | Sequence[str] | Mapping[str, str] | None = None,
    predictor_matrix: pd.DataFrame | Mapping[str, Mapping[str, int]] | None = None,
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
    *,
    r: int = 1,
    formulas: Mapping[str, str] | None = None,
    rules: Mapping[str, Mapping[str, Label | None]] | None = None,
    strata: str | Sequence[str] | None = None,
    min_stratum_size: int | None = None,
    smoothing: str | Mapping[str, str] | None = None,
    tail_support: int = 1,
    variable_options: Mapping[str, Mapping[str, Any]] | None = None,
    executor: Executors = "threads",
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
        Formula applied to the values drawn, e.g. ``{"tv": "squeeze(tv, 1, 25)"}``.
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
        Threads or processes. The result does not depend on them.
    progress : callable, optional
        Called with a stage ("imputation", "fit", "draw"), the steps done and their number.
    method_options : mapping, optional
        Options by method, e.g. ``{"cart": {"minbucket": 3, "cp": 1e-8}}``.
    r : int, default 1
        Where incomplete data are synthesised: syntheses of each of the `m` imputations.
    formulas : mapping, optional
        How predictors enter, as in R: ``{"hgt": "age * reg + log(wgt)"}``, for any method. It takes the
        place of the variable's row in the predictor matrix.
    rules : mapping, optional
        Conditions under which a variable has one value only: ``{"smokes": {"age < 16": "no"}}``. Such
        rows are kept out of the fit, and the value is set.
    strata : str or sequence of str, optional
        Categorical variables that divide a synthesis into parts with models of their own.
    min_stratum_size : int, optional
        Smaller strata are merged; ten rows and ten for every variable by default.
    smoothing : {"density", "spline"} or mapping, optional
        Replace drawn values of donors by values nearby, for all numbers or those named.
    tail_support : int, default 1
        Least number of donors behind the largest and the smallest values of a synthesis.
    variable_options : mapping, optional
        Options of the method of single variables, e.g. ``{"tv": {"minbucket": 20}}``.
    executor : {"threads", "processes"}, default "threads"
        What `workers` are.

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
    `r` times, which stand side by side in the result. Estimates are pooled by the rule for nested sets,
    which needs r of 2 or more.

    Missing values that are data, codes and spikes are a matter of the `schema`: see `VariableOverride`.

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
    check_workers(workers, executor)
    schema = _described(data, schema)
    original = encode(data, schema)
    plan, matrix = plan_and_fill(
        original,
        schema,
        m=m,
        r=r,
        maxit=maxit,
        method=method,
        predictor_matrix=predictor_matrix,
        formulas=formulas,
        where=where,
        visit_sequence=visit_sequence,
        post=post,
        rules=rules,
        ignore=ignore,
        conditioning=conditioning,
        proper=proper,
        k=k,
        strata=strata,
        min_stratum_size=min_stratum_size,
        smoothing=smoothing,
        tail_support=tail_support,
        method_options=method_options,
        variable_options=variable_options,
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
    return run_plan(plan, matrix, data.index, seed, workers, progress, executor, original)


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
    merged: dict[str, Any] = {"maxit": 1, "where": "all"} | settings
    return mice(data, m=m, method=_for_all(data, method), **merged)


def learn_synthesizer(
    data: pd.DataFrame,
    method: str | Sequence[str] | Mapping[str, str] = "cart",
    schema: Schema | None = None,
    workers: int = 1,
    **settings: Any,
) -> AnySynthesizer:
    """Fit the models of a synthesis, to draw sets from them later.

    Parameters
    ----------
    data : DataFrame
        Complete data.
    method : str, sequence or mapping, default "cart"
        See `synthesize`.
    schema : Schema, optional
        Inferred if not given.
    workers : int, default 1
        Threads.
    **settings
        Further arguments of `make_plan`.

    Returns
    -------
    Synthesizer or StratifiedSynthesizer
        It holds donors and is as confidential as the data; `make_portable` makes one that does not.

    Examples
    --------
    >>> from synth_tasks import learn_synthesizer, load_boys
    >>> synthesizer = learn_synthesizer(load_boys()[["age", "reg"]].dropna())
    >>> synthesizer.draw_table(seed=1).shape
    (745, 2)
    """
    schema = _described(data, schema)
    matrix = encode(data, schema)
    for name, count in schema.count_holes(matrix).items():
        raise PlanError(
            f"column '{name}' has {count} missing values: impute them, or keep them as data "
            "(VariableOverride)"
        )
    plan, matrix = plan_and_fill(
        matrix, schema, **{"m": 1, "where": "all", "method": _for_all(data, method)} | settings
    )
    with one_native_thread():
        return fit_synthesizer(plan, matrix, workers)


def _described(data: pd.DataFrame, schema: Schema | None) -> Schema:
    """Check a table; return the schema given, or infer it."""
    if schema is None:
        return infer_schema(data)
    check_table(data)
    return schema


def _for_all(
    data: pd.DataFrame, method: str | Sequence[str] | Mapping[str, str]
) -> str | Sequence[str] | Mapping[str, str]:
    """Let cart draw the columns that a mapping does not name."""
    if isinstance(method, Mapping):
        return {str(name): "cart" for name in data.columns} | dict(method)
    return method


def run_plan(
    plan: ImputationPlan,
    matrix: np.ndarray,
    index: pd.Index,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
    executor: Executors = "threads",
    original: np.ndarray | None = None,
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
        Threads or processes.
    progress : callable, optional
        See `mice`.
    executor : {"threads", "processes"}, default "threads"
        What `workers` are.
    original : ndarray of shape (n_rows, n_variables), optional
        The data before holes were filled from columns that say the same; `matrix` if not given.

    Returns
    -------
    MultiplyImputed
    """
    chains: list[ChainResult] = []
    sets: list[np.ndarray] = []
    events: list[LoggedEvent] = list(plan.events)
    if plan.incomplete:
        steps = plan.maxit * len(plan.incomplete)
        count = _counter(progress, "imputation", plan.m * steps)
        run_chain = partial(impute, plan, matrix, seed)
        chains = run_all(run_chain, range(1, plan.m + 1), workers, executor, count, steps)
        sets = [chain.matrix for chain in chains]
        events += [event for chain in chains for event in chain.events]
    if plan.synthesises:
        sources = sets or [matrix]
        synthesizers = _fit_synthesizers(plan, sources, workers, progress)
        batches = _batches(plan, 1 if executor == "processes" else workers)
        count = _counter(progress, "draw", sum(len(numbers) for _, numbers in batches))
        draw = partial(_draw_sets, synthesizers, seed)
        sets = [s for drawn in run_all(draw, batches, workers, executor, count) for s in drawn]
        events += [event for s in synthesizers for event in s.events]
        if plan.k == plan.n_rows:
            sets = [keep_holes(plan, s) for s in sets]
        events += never_drawn(plan.schema, sources[0], sets, plan.drawn)
    else:
        sets = [keep_holes(plan, s) for s in sets] or [matrix.copy() for _ in range(plan.m)]
    return MultiplyImputed(
        schema=plan.schema,
        sets=tuple(sets),
        provenance=make_provenance(plan, bool(plan.incomplete)),
        events=tuple(events),
        # Row labels may name persons: they stay only where real cells stay too.
        index=pd.RangeIndex(plan.k) if plan.synthesises and plan.where.all() else index,
        original=None if plan.synthesises else (matrix if original is None else original),
        plan=None if plan.synthesises else plan,
        seed=None if plan.synthesises else seed,
        states=_states(plan, chains),
        chain_means=np.stack([c.means for c in chains], axis=-1) if chains else None,
        chain_variances=np.stack([c.variances for c in chains], axis=-1) if chains else None,
        chain_variables=tuple(plan.incomplete),
    )


def set_numbers(plan: ImputationPlan) -> list[tuple[int, int]]:
    """Return the numbers (imputation, synthesis) of all synthetic sets in order."""
    if plan.incomplete:
        return [(i, j) for i in range(1, plan.m + 1) for j in range(1, plan.r + 1)]
    return [(1, j) for j in range(1, plan.m + 1)]


def _states(plan: ImputationPlan, chains: list[ChainResult]) -> tuple[np.ndarray, ...] | None:
    """Return what the sets of an imputation do not show, but its chains go on from."""
    if plan.synthesises or not (plan.missing & ~plan.where).any():
        return None
    return tuple(chain.matrix for chain in chains)


def _fit_synthesizers(
    plan: ImputationPlan, sources: list[np.ndarray], workers: int, progress: Progress | None
) -> list[AnySynthesizer]:
    count = _counter(progress, "fit", len(sources) * len(plan.drawn))
    with one_native_thread():
        return [fit_synthesizer(plan, source, workers, count) for source in sources]


def _batches(plan: ImputationPlan, workers: int) -> list[tuple[int, list[int]]]:
    """Return which sets of which imputation are drawn in one go: few rows, and work for all."""
    numbers = set_numbers(plan)
    size = max(1, min(-(-len(numbers) // workers), ROWS_AT_ONCE // plan.k))
    batches = []
    for imputation, of_imputation in groupby(numbers, key=itemgetter(0)):
        syntheses = [synthesis for _, synthesis in of_imputation]
        batches += [(imputation, syntheses[i : i + size]) for i in range(0, len(syntheses), size)]
    return batches


def _draw_sets(
    synthesizers: list[AnySynthesizer],
    seed: int,
    batch: tuple[int, list[int]],
    step: Callable[[], None] = nothing,
) -> list[np.ndarray]:
    """Draw synthetic sets of one imputation, or of the only completed data there are."""
    imputation, syntheses = batch
    drawn = synthesizers[imputation - 1].draw_sets(seed, syntheses, imputation)
    for _ in drawn:
        step()
    return drawn


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
