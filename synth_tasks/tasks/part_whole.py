"""Measuring whole synthetic sets that were made in strata: no table of all rows is ever read.

Utility is measured on summaries of all rows, what has no summary on a sample of all strata, and
disclosure is the mean over strata by rows. The strata share no row and are drawn independently, and so
are the errors of their figures.

References
----------
Zou & Donner (2008). Construction of confidence limits about effect measures: a general approach.
Statistics in Medicine 27(10), 1693-1702.
Bonferroni (1936). Teoria statistica delle classi e calcolo delle probabilita.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE
from scipy.stats import norm

from synth_tasks.data import decode
from synth_tasks.disclosure import anonymity, exact_matches, extremes, linkage, own_values
from synth_tasks.disclosure.assess import METRICS as DISCLOSURE
from synth_tasks.disclosure.assess_cross_fit import METRICS as CONTROLLED
from synth_tasks.ledger import Goal, Measurement, make_ledger
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.seeding import generator
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.part_assess import StratumFigures
from synth_tasks.tasks.part_summaries import Summary, merge_summaries
from synth_tasks.tasks.pool import AnalysisRef, read_analysis
from synth_tasks.utility import assess_general, marginals, missing, pairs
from synth_tasks.utility.summaries import assess_summaries


@task(name="assess all strata", task_run_name="assess all strata together", cache_policy=NO_CACHE)
@confidential
def assess_parts(
    context: RunContext,
    figures: list[StratumFigures],
    analyses: list[AnalysisRef],
) -> pd.DataFrame:
    """Measure the whole sets from summaries and samples, and collect all figures in the ledger.

    Parameters
    ----------
    context : RunContext
        The release.
    figures : list of StratumFigures
        All strata.
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
            sum(each.real_rows for each in figures),
        )
    ]
    whole += average_strata(figures)
    agreement = [m for ref in analyses for m in read_analysis(ref).agreement]
    single = [hold_together(m, len(figures)) for each in figures for m in each.measurements]
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
        real, drawn = (merge_summaries(workspace, each) for each in zip(*summaries, strict=True))
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


OUTSIDE = 0.025  # probability beyond one bound of an interval
AVERAGED = frozenset(
    metric.name for metric in (*DISCLOSURE, *CONTROLLED) if metric.goal is not Goal.INFORMATION
)
# Shares of synthetic rows, and of synthetic values; all others are of real rows.
OF_ROWS = frozenset(
    metric.name
    for metric in (*exact_matches.METRICS, *linkage.METRICS, *own_values.METRICS,
                   anonymity.BELOW_K, anonymity.BELOW_L)
)  # fmt: skip
OF_VALUES = frozenset(metric.name for metric in extremes.METRICS)
# Measured with what the worst of all strata is by chance; see `synth_tasks.utility.at_once`.
AT_ONCE = frozenset(
    metric.name for metric in (*marginals.METRICS, *pairs.METRICS, *missing.METRICS)
)


def average_strata(figures: Sequence[StratumFigures]) -> list[Measurement]:
    """Return the figures of disclosure of the whole: means over strata, weighted by rows.

    Parameters
    ----------
    figures : sequence of StratumFigures
        Of all strata.

    Returns
    -------
    list of Measurement
        One for each figure that all strata have and that a policy may judge. What is a share of
        synthetic rows is weighted by those of the set, whose numbers are drawn, and all others by real
        rows. Its interval is made of those of the strata: their distances from the values are added as
        independent errors are, each side by itself (Zou & Donner 2008).
    """
    by_key: dict[tuple[Any, ...], list[tuple[int, Measurement]]] = {}
    for own in figures:
        for m in own.measurements:
            if m.metric in AVERAGED:
                key = (m.family, m.metric, m.target, m.keys, m.set_number)
                by_key.setdefault(key, []).append((_weight(m, own), m))
    return [_mean(each) for each in by_key.values() if len(each) == len(figures)]


def _weight(measurement: Measurement, own: StratumFigures) -> int:
    """Return of how many rows or values of its stratum a figure is a share or a mean."""
    if measurement.metric in OF_VALUES:
        return measurement.n
    if measurement.metric in OF_ROWS and measurement.set_number:
        return own.set_rows[measurement.set_number - 1]
    return own.real_rows


def _mean(found: Sequence[tuple[int, Measurement]]) -> Measurement:
    weights = np.array([n for n, _ in found], dtype=float)
    weights /= weights.sum()

    def column(field: str) -> np.ndarray:
        return np.array([getattr(m, field) for _, m in found], dtype=float)

    values = column("value")
    value = float(weights @ values)
    below, above = (np.linalg.norm(weights * (column(f) - values)) for f in ("lower", "upper"))
    return replace(
        found[0][1],
        value=value,
        lower=value - float(below),
        upper=value + float(above),
        null=float(weights @ column("null")),
        control=float(weights @ column("control")),
        n=sum(m.n for _, m in found),
        stratum="",
    )


def hold_together(measurement: Measurement, n_strata: int) -> Measurement:
    """Widen the interval of a stratum so that those of all strata hold at once.

    A gate judges the worst of many strata, which chance alone makes bad. Intervals of 95 % become
    Bonferroni's, as far as the error is normal; those of `AT_ONCE` were measured so.

    Parameters
    ----------
    measurement : Measurement
        Of a stratum.
    n_strata : int
        Number of strata.
    """
    if measurement.metric in AT_ONCE:
        return measurement
    wider = norm.isf(OUTSIDE / n_strata) / norm.isf(OUTSIDE)
    value, lower, upper = measurement.value, measurement.lower, measurement.upper
    return replace(
        measurement, lower=value - wider * (value - lower), upper=value + wider * (upper - value)
    )
