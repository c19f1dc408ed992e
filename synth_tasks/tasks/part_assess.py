"""Measuring synthetic sets in parts: every stratum by itself, and the whole from summaries and samples.

Of a stratum, disclosure is measured on all rows, but that the neighbours of a sample of synthetic rows
are searched; marginals, pairs and correlations on a sample; the control on another. Of the whole,
utility is measured on summaries of all rows, what has no summary on a sample of all strata, and
disclosure is the mean over strata by rows. How large samples are is `partition.sample_rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.data import Schema, decode
from synth_tasks.disclosure import assess_average, assess_disclosure, assess_excess
from synth_tasks.disclosure.assess import METRICS as DISCLOSURE
from synth_tasks.disclosure.assess_cross_fit import METRICS as CONTROLLED
from synth_tasks.ledger import Goal, Measurement, make_ledger
from synth_tasks.release.cross_fitting import synthesise_halves
from synth_tasks.release.part_samples import CONTROL_ROWS, linked_rows
from synth_tasks.release.workspace import DatasetRef, Workspace
from synth_tasks.seeding import generator
from synth_tasks.tasks.assess import attack
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.control import ControlledSet
from synth_tasks.tasks.part_models import CompletedStratum, DrawnStratum, naming
from synth_tasks.tasks.pool import AnalysisRef, read_analysis
from synth_tasks.utility import assess_general, assess_utility
from synth_tasks.utility.summaries import (
    TableCounts,
    TableSketch,
    assess_summaries,
    count_table,
    make_marks,
    sketch_table,
)


@dataclass(frozen=True)
class Summary:
    """Where the summaries of a table lie in the workspace.

    Parameters
    ----------
    sketch, counts : DatasetRef
        A `TableSketch` and `TableCounts`.
    """

    sketch: DatasetRef
    counts: DatasetRef


@dataclass(frozen=True)
class StratumFigures:
    """What was measured of a stratum, and what is needed of it to measure the whole.

    Parameters
    ----------
    measurements : list of Measurement
        Of all sets.
    summaries : list of tuple of two Summary
        For each set, of real and synthetic rows.
    samples : list of tuple of two DatasetRef
        For each set, real and synthetic rows.
    """

    measurements: list[Measurement]
    summaries: list[tuple[Summary, Summary]]
    samples: list[tuple[DatasetRef, DatasetRef]]


# --- before anything is counted -------------------------------------------------------------------


@task(
    name="sketch strata", task_run_name="sketch {drawn[0].stratum.name} ...", cache_policy=NO_CACHE
)
@confidential
def sketch_strata(context: RunContext, drawn: list[DrawnStratum]) -> list[DatasetRef]:
    """Sketch the real rows of some strata.

    Parameters
    ----------
    context : RunContext
        The release.
    drawn : list of DrawnStratum
        Which.

    Returns
    -------
    list of DatasetRef
        A `TableSketch` of each.
    """
    return [_sketch(context, each.controlled[0].real) for each in drawn]


@task(name="mark cells", task_run_name="mark the cells of all strata", cache_policy=NO_CACHE)
@confidential
def mark_cells(
    context: RunContext, drawn: list[DrawnStratum], sketches: list[DatasetRef]
) -> DatasetRef:
    """Find the cells in which all parts are counted: at quantiles of the real table.

    Parameters
    ----------
    context : RunContext
        The release.
    drawn : list of DrawnStratum
        All strata.
    sketches : list of DatasetRef
        From `sketch_strata`.

    Returns
    -------
    DatasetRef
        The `Marks`.
    """
    workspace = context.workspace()

    def compute(folder: Path) -> dict[str, Any]:
        schema = workspace.read_schema(drawn[-1].controlled[0].real)
        whole = reduce(TableSketch.merge, map(workspace.read_object, sketches))
        return {"ref": workspace.write_object(folder / "marks.pickle", make_marks(whole, schema))}

    result, _ = workspace.run_stage("marks", [ref.sha256 for ref in sketches], compute)
    return result["ref"]


def _sketch(context: RunContext, ref: DatasetRef) -> DatasetRef:
    """Sketch a table, once however often it is asked for."""
    workspace = context.workspace()

    def compute(folder: Path) -> dict[str, Any]:
        sketch = sketch_table(*workspace.read_table(ref))
        return {"ref": workspace.write_object(folder / "sketch.pickle", sketch)}

    return workspace.run_stage("sketch", [ref.sha256], compute)[0]["ref"]


def _count(context: RunContext, ref: DatasetRef, marks: DatasetRef) -> DatasetRef:
    """Count a table, once however often it is asked for."""
    workspace = context.workspace()

    def compute(folder: Path) -> dict[str, Any]:
        counts = count_table(*workspace.read_table(ref), workspace.read_object(marks))
        return {"ref": workspace.write_object(folder / "counts.pickle", counts)}

    return workspace.run_stage("counts", [ref.sha256, marks.sha256], compute)[0]["ref"]


# --- one stratum ----------------------------------------------------------------------------------


@task(
    name="assess strata", task_run_name="assess {drawn[0].stratum.name} ...", cache_policy=NO_CACHE
)
def assess_strata(
    context: RunContext,
    completed: list[CompletedStratum],
    drawn: list[DrawnStratum],
    marks: DatasetRef,
    shares: SampleShares,
) -> list[StratumFigures]:
    """Measure the sets of some strata.

    Parameters
    ----------
    context : RunContext
        The release.
    completed : list of CompletedStratum
        The real rows, for the control.
    drawn : list of DrawnStratum
        Their sets.
    marks : DatasetRef
        From `mark_cells`.
    shares : SampleShares
        What the samples of all strata hold, from `sample_shares`.

    Returns
    -------
    list of StratumFigures
    """
    together = zip(completed, drawn, strict=True)
    return [_assess(context, own, sets, marks, shares) for own, sets in together]


@confidential
def _assess(
    context: RunContext,
    completed: CompletedStratum,
    drawn: DrawnStratum,
    marks: DatasetRef,
    shares: SampleShares,
) -> StratumFigures:
    own = context.of_stratum(drawn.stratum.number)
    found: list[Measurement] = []
    summaries, samples = [], []
    with naming(drawn.stratum):
        for number, controlled in enumerate(drawn.controlled, start=1):
            both = shares.real, shares.sets[number - 1]
            result = _assess_set(context, own, controlled, number, both)
            found += [Measurement(**item) for item in result["measurements"]]
            real, synthetic = (
                Summary(_sketch(context, ref), _count(context, ref, marks))
                for ref in (controlled.real, controlled.ref)
            )
            summaries.append((real, synthetic))
            samples.append((result["real"], result["drawn"]))
        found += _assess_together(context, own, drawn)
        found += _assess_control(context, own, completed)
    name = drawn.stratum.name
    return StratumFigures([replace(m, stratum=name) for m in found], summaries, samples)


def _assess_set(
    context: RunContext,
    own: RunContext,
    controlled: ControlledSet,
    number: int,
    shares: tuple[float, float],
) -> dict[str, Any]:
    workspace, seed, most = context.workspace(), own.seed(), _sample_rows(context)
    both = zip((controlled.real, controlled.ref), shares, strict=True)
    sizes = [max(1, round(share * ref.rows)) for ref, share in both]

    def compute(folder: Path) -> dict[str, Any]:
        real, schema = workspace.read_table(controlled.real)
        drawn, _ = workspace.read_table(controlled.ref)
        some = sample_alike((real, drawn), sizes, generator(seed, "all strata", number))
        files = folder / "real.parquet", folder / "set.parquet"
        samples = [
            workspace.write_table(file, table, schema)
            for file, table in zip(files, some, strict=True)
        ]
        measured = _utility(real, drawn, schema, number, most, seed)
        measured += assess_disclosure(
            decode(real, schema),
            decode(drawn, schema),
            schema,
            number,
            **attack(own.spec, schema),
            rng=generator(seed, "assessment", number),
            linkable=controlled.in_order,
            max_rows=linked_rows(len(real), most),
        )
        return {
            "measurements": [asdict(m) for m in measured],
            "real": samples[0],
            "drawn": samples[1],
        }

    settings = [own.spec.disclosure.model_dump_json(), str(most), *map(str, sizes)]
    inputs = [controlled.real.sha256, controlled.ref.sha256, str(number), str(seed)]
    return workspace.run_stage("part-assessment", [*inputs, *settings], compute)[0]


def _utility(
    real: np.ndarray, drawn: np.ndarray, schema: Schema, number: int, most: int, seed: int
) -> list[Measurement]:
    """Measure what a stratum keeps; of pairs of variables only what sums them up."""
    some = sample_alike((real, drawn), (most, most), generator(seed, "utility", number))
    one, other = (decode(table, schema) for table in some)
    share = len(some[0]) / len(real)
    found = assess_utility(one, other, schema, number, real_share=share)
    return [m for m in found if ":" not in m.target]


def sample_alike(
    tables: Sequence[np.ndarray], sizes: Sequence[int], rng: np.random.Generator
) -> list[np.ndarray]:
    """Draw random rows of several tables, without replacement.

    Every row of a table is as likely as every other, wherever in it. Positions come in one order for
    all: tables of equal length give rows at the same positions, and others as far as both have them.

    Parameters
    ----------
    tables : sequence of ndarray
        Of any lengths.
    sizes : sequence of int
        Most rows of each.
    rng : Generator
        Draws the order.

    Returns
    -------
    list of ndarray
        The rows in the order of their table.
    """
    order = rng.permutation(max(map(len, tables)))
    return [
        table[np.sort(order[order < len(table)][:size])]
        for table, size in zip(tables, sizes, strict=True)
    ]


def _assess_together(
    context: RunContext, own: RunContext, drawn: DrawnStratum
) -> list[Measurement]:
    """Measure what the average of all sets gives away, as far as all have a row."""
    workspace, seed, most = context.workspace(), own.seed(), _sample_rows(context)
    sets = drawn.controlled
    if not all(each.in_order for each in sets):
        return []

    def compute(_: Path) -> dict[str, Any]:
        real, schema = workspace.read_table(sets[0].real)
        tables = [workspace.read_table(each.ref)[0] for each in sets]
        size = min(len(real), *map(len, tables))
        found = assess_average(
            decode(real, schema),
            [decode(table[:size], schema) for table in tables],
            schema,
            rng=generator(seed, "assessment", 0),
            max_rows=linked_rows(len(real), most),
        )
        return {"measurements": [asdict(m) for m in found]}

    inputs = [sets[0].real.sha256, *(each.ref.sha256 for each in sets), str(seed), str(most)]
    result, _ = workspace.run_stage("part-assessment-together", inputs, compute)
    return [Measurement(**item) for item in result["measurements"]]


def _assess_control(
    context: RunContext, own: RunContext, completed: CompletedStratum
) -> list[Measurement]:
    """Measure with a control on a sample: a smaller table, whose figures are the more cautious."""
    workspace, spec, seed = context.workspace(), own.spec, own.seed()
    raw = completed.stratum.ref
    if not spec.disclosure.cross_fit:
        return []

    def compute(_: Path) -> dict[str, Any]:
        matrix, schema = workspace.read_table(completed.refs[0])
        arrived, raw_schema = workspace.read_table(raw)
        imputed = raw_schema.holes(arrived)
        sizes = CONTROL_ROWS, CONTROL_ROWS
        some, filled = sample_alike((matrix, imputed), sizes, generator(seed, "control"))
        found = assess_excess(
            synthesise_halves(spec, schema, some, filled, seed),
            **attack(spec, schema),
            rng=generator(seed, "assessment", "excess"),
        )
        return {"measurements": [asdict(m) for m in found]}

    settings = spec.model_dump_json(include={"synthesis", "sdc", "disclosure", "variables"})
    inputs = [completed.refs[0].sha256, raw.sha256, settings, str(seed)]
    result, _ = workspace.run_stage("part-assessment-control", inputs, compute)
    return [Measurement(**item) for item in result["measurements"]]


@dataclass(frozen=True)
class SampleShares:
    """Which share of the rows of every stratum is in the samples of all strata.

    Parameters
    ----------
    real : float
        Of the real rows, in (0, 1].
    sets : list of float
        Of those of each set.
    """

    real: float
    sets: list[float]


def sample_shares(context: RunContext, drawn: Sequence[DrawnStratum]) -> SampleShares:
    """Allot samples of `partition.sample_rows` rows to strata in proportion to their rows.

    Parameters
    ----------
    context : RunContext
        The release.
    drawn : sequence of DrawnStratum
        All strata.
    """
    most = _sample_rows(context)
    by_set = zip(*([each.ref.rows for each in own.controlled] for own in drawn), strict=True)
    n_rows = sum(own.stratum.rows for own in drawn)
    return SampleShares(min(1.0, most / n_rows), [min(1.0, most / sum(rows)) for rows in by_set])


def _sample_rows(context: RunContext) -> int:
    assert context.spec.partition is not None  # noqa: S101  (tells the type checker)
    return context.spec.partition.sample_rows


# --- all strata -----------------------------------------------------------------------------------


@task(name="assess all strata", task_run_name="assess all strata together", cache_policy=NO_CACHE)
@confidential
def assess_parts(
    context: RunContext,
    figures: list[StratumFigures],
    rows: list[int],
    analyses: list[AnalysisRef],
) -> pd.DataFrame:
    """Measure the whole sets from summaries and samples, and collect all figures in the ledger.

    Parameters
    ----------
    context : RunContext
        The release.
    figures : list of StratumFigures
        All strata.
    rows : list of int
        Real rows of each.
    analyses : list of AnalysisRef
        Analyses, with what they say of the agreement of estimates.

    Returns
    -------
    DataFrame
        The ledger, with the column ``stratum``; empty for the whole.
    """
    whole = [
        m
        for number in range(1, context.spec.n_sets + 1)
        for m in _assess_whole(
            context,
            number,
            [each.summaries[number - 1] for each in figures],
            [each.samples[number - 1] for each in figures],
            sum(rows),
        )
    ]
    whole += average_strata([each.measurements for each in figures], rows)
    agreement = [m for ref in analyses for m in read_analysis(ref).agreement]
    single = [m for each in figures for m in each.measurements]
    return make_ledger([*whole, *agreement, *single])


def _assess_whole(
    context: RunContext,
    number: int,
    summaries: list[tuple[Summary, Summary]],
    samples: list[tuple[DatasetRef, DatasetRef]],
    n_rows: int,
) -> list[Measurement]:
    """Measure what one set keeps: by summaries, and by samples what has none."""
    workspace, seed = context.workspace(), context.seed()
    share = sum(real.rows for real, _ in samples) / n_rows

    def compute(_: Path) -> dict[str, Any]:
        schema = workspace.read_schema(samples[0][0])
        real, drawn = (_merge(workspace, each) for each in zip(*summaries, strict=True))
        found = assess_summaries(schema, real, drawn, number)
        both = zip(*samples, strict=True)
        some, sampled = (decode(read_parts(context, refs), schema) for refs in both)
        rng = generator(seed, "utility", number)
        known = {m.metric for m in found}
        general = assess_general(some, sampled, schema, number, rng=rng, real_share=share)
        found += [m for m in general if m.metric not in known]
        return {"measurements": [asdict(m) for m in found]}

    refs = [ref for pair in summaries for each in pair for ref in (each.sketch, each.counts)]
    refs += [ref for pair in samples for ref in pair]
    inputs = [*(ref.sha256 for ref in refs), str(number), str(seed), str(n_rows)]
    result, _ = workspace.run_stage("parts-assessment", inputs, compute)
    return [Measurement(**item) for item in result["measurements"]]


def read_parts(context: RunContext, refs: Iterable[DatasetRef]) -> np.ndarray:
    """Read the parts of a table, one below the other."""
    workspace = context.workspace()
    return np.concatenate([workspace.read_table(ref)[0] for ref in refs])


def _merge(workspace: Workspace, parts: Sequence[Summary]) -> tuple[TableSketch, TableCounts]:
    """Put the summaries of all strata together, with one of them in memory at a time."""
    sketches = (workspace.read_object(part.sketch) for part in parts)
    counts = (workspace.read_object(part.counts) for part in parts)
    return reduce(TableSketch.merge, sketches), reduce(add, counts)


AVERAGED = frozenset(
    metric.name for metric in (*DISCLOSURE, *CONTROLLED) if metric.goal is not Goal.INFORMATION
)


def average_strata(
    figures: Sequence[Sequence[Measurement]], rows: Sequence[int]
) -> list[Measurement]:
    """Return the figures of disclosure of the whole: means over strata, weighted by rows.

    Parameters
    ----------
    figures : sequence of sequence of Measurement
        Of each stratum.
    rows : sequence of int
        Its real rows.

    Returns
    -------
    list of Measurement
        One for each figure that all strata have and that a policy may judge. Bounds of intervals are
        averaged too: that is as wide as if all strata erred in the same direction.
    """
    by_key: dict[tuple[Any, ...], list[tuple[int, Measurement]]] = {}
    for own, n in zip(figures, rows, strict=True):
        for m in own:
            if m.metric in AVERAGED:
                key = (m.family, m.metric, m.target, m.keys, m.set_number)
                by_key.setdefault(key, []).append((n, m))
    return [_mean(each) for each in by_key.values() if len(each) == len(rows)]


def _mean(found: Sequence[tuple[int, Measurement]]) -> Measurement:
    weights = np.array([n for n, _ in found], dtype=float)

    def mean(field: str) -> float:
        values = np.array([getattr(m, field) for _, m in found], dtype=float)
        return float(values @ weights / weights.sum())

    return replace(
        found[0][1],
        value=mean("value"),
        lower=mean("lower"),
        upper=mean("upper"),
        null=mean("null"),
        control=mean("control"),
        n=sum(m.n for _, m in found),
        stratum="",
    )
