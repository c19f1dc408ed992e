"""Measuring the synthetic sets of every stratum by itself.

Disclosure is measured on all rows, but that the neighbours of a sample of synthetic rows are searched;
marginals, pairs and correlations on a sample; the control on another. How large samples are is
`partition.sample_rows`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.data import Schema, decode
from synth_tasks.disclosure import assess_average, assess_disclosure, assess_excess
from synth_tasks.ledger import Measurement
from synth_tasks.release.cross_fitting import synthesise_halves
from synth_tasks.release.part_samples import CONTROL_ROWS, linked_rows
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.seeding import generator
from synth_tasks.tasks.assess import attack
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.control import ControlledSet, align, digests
from synth_tasks.tasks.part_models import CompletedStratum, DrawnStratum, naming
from synth_tasks.tasks.part_sampling import SampleShares, sample_alike, sample_rows
from synth_tasks.tasks.part_summaries import Summary, summarise
from synth_tasks.utility import assess_utility
from synth_tasks.utility.at_once import AtOnce


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
    real_rows : int
        Number of its real rows.
    set_rows : list of int
        Number of its rows in each set.
    """

    measurements: list[Measurement]
    summaries: list[tuple[Summary, Summary]]
    samples: list[tuple[DatasetRef, DatasetRef]]
    real_rows: int
    set_rows: list[int]


@task(
    name="assess strata", task_run_name="assess {drawn[0].stratum.name} ...", cache_policy=NO_CACHE
)
def assess_strata(
    context: RunContext,
    completed: list[CompletedStratum],
    drawn: list[DrawnStratum],
    marks: DatasetRef,
    shares: SampleShares,
    n_strata: int,
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
    n_strata : int
        Number of all strata, which are judged at once.

    Returns
    -------
    list of StratumFigures
    """
    together = zip(completed, drawn, strict=True)
    return [_assess(context, own, sets, marks, shares, n_strata) for own, sets in together]


@confidential
def _assess(
    context: RunContext,
    completed: CompletedStratum,
    drawn: DrawnStratum,
    marks: DatasetRef,
    shares: SampleShares,
    n_strata: int,
) -> StratumFigures:
    own = context.of_stratum(drawn.stratum.number)
    at_once = AtOnce(n_strata * own.spec.n_sets, own.spec.synthesis.proper)
    found: list[Measurement] = []
    summaries, samples = [], []
    with naming(drawn.stratum):
        for number, controlled in enumerate(drawn.controlled, start=1):
            both = shares.real, shares.sets[number - 1]
            result = _assess_set(context, own, controlled, number, both, at_once)
            found += [Measurement(**item) for item in result["measurements"]]
            real, synthetic = (
                summarise(context, ref, marks) for ref in (controlled.real, controlled.ref)
            )
            summaries.append((real, synthetic))
            samples.append((result["real"], result["drawn"]))
        found += _assess_together(context, own, drawn)
        found += _assess_control(context, own, completed)
    named = [replace(m, stratum=drawn.stratum.name) for m in found]
    set_rows = [each.ref.rows for each in drawn.controlled]
    return StratumFigures(named, summaries, samples, drawn.stratum.rows, set_rows)


def _assess_set(
    context: RunContext,
    own: RunContext,
    controlled: ControlledSet,
    number: int,
    shares: tuple[float, float],
    at_once: AtOnce,
) -> dict[str, Any]:
    workspace, seed, most = context.workspace(), own.seed(), sample_rows(context)
    both = zip((controlled.real, controlled.ref), shares, strict=True)
    sizes = [max(1, round(share * ref.rows)) for ref, share in both]
    attacked = attack(own.spec, workspace.read_schema(controlled.real))

    def compute(folder: Path) -> dict[str, Any]:
        real, schema = workspace.read_table(controlled.real)
        drawn, _ = workspace.read_table(controlled.ref)
        some = sample_alike((real, drawn), sizes, generator(seed, "all strata", number))
        files = folder / "real.parquet", folder / "set.parquet"
        samples = [
            workspace.write_table(file, table, schema)
            for file, table in zip(files, some, strict=True)
        ]
        measured = _utility((real, drawn), schema, number, most, seed, at_once)
        real, _ = align(workspace, [controlled], real, [drawn])
        measured += assess_disclosure(
            decode(real, schema),
            decode(drawn, schema),
            schema,
            number,
            **attacked,
            rng=generator(seed, "assessment", number),
            max_rows=linked_rows(len(real), most),
        )
        return {
            "measurements": [asdict(m) for m in measured],
            "real": samples[0],
            "drawn": samples[1],
        }

    settings = [own.spec.disclosure.model_dump_json(), json.dumps(attacked)]
    settings += [str(most), *map(str, sizes), repr(at_once)]
    inputs = [controlled.real.sha256, *digests([controlled]), str(number), str(seed)]
    return workspace.run_stage("part-assessment", [*inputs, *settings], compute)[0]


def _utility(
    tables: tuple[np.ndarray, np.ndarray],
    schema: Schema,
    number: int,
    most: int,
    seed: int,
    at_once: AtOnce,
) -> list[Measurement]:
    """Measure what a stratum keeps; of pairs of variables only what sums them up."""
    some = sample_alike(tables, (most, most), generator(seed, "utility", number))
    one, other = (decode(table, schema) for table in some)
    share = len(some[0]) / len(tables[0])
    found = assess_utility(one, other, schema, number, real_share=share, at_once=at_once)
    return [m for m in found if ":" not in m.target]


def _assess_together(
    context: RunContext, own: RunContext, drawn: DrawnStratum
) -> list[Measurement]:
    """Measure what the average of all sets gives away, as far as all have a row."""
    workspace, seed, most = context.workspace(), own.seed(), sample_rows(context)
    sets = drawn.controlled

    def compute(_: Path) -> dict[str, Any]:
        real, schema = workspace.read_table(sets[0].real)
        tables = [workspace.read_table(each.ref)[0] for each in sets]
        real, tables = align(workspace, sets, real, tables)
        found = assess_average(
            decode(real, schema),
            [decode(table, schema) for table in tables],
            schema,
            rng=generator(seed, "assessment", 0),
            max_rows=linked_rows(len(real), most),
        )
        return {"measurements": [asdict(m) for m in found]}

    inputs = [sets[0].real.sha256, *digests(sets), str(seed), str(most)]
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
