"""Replicates of a study: a sample, its synthetic sets, and what is estimated from both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synth_tasks.disclosure.linkage import link, pair_in_order
from synth_tasks.engine import fit_synthesizer
from synth_tasks.engine.workers import one_native_thread
from synth_tasks.errors import PoolingError, SynthError
from synth_tasks.inference import ModelFit
from synth_tasks.inference.pooled import limits_of
from synth_tasks.inference.pooling import pool_limits
from synth_tasks.inference.stacked import fit_stacked
from synth_tasks.seeding import generator
from synth_tasks.study.moments import moments
from synth_tasks.study.population import Population
from synth_tasks.utility.pair import TablePair

SOURCES = ("bootstrap", "synthetic")
FIGURES = ("estimate", "std_error", "conf_low", "conf_high")

# Rows that are analysed together; more would only need more memory.
ROWS_AT_ONCE = 50_000

# Synthetic rows of a replicate that are looked up among the real ones: a hundred thousand in all.
LINKED_ROWS = 100


@dataclass(frozen=True, eq=False)
class Replicates:
    """What R replicates gave.

    Parameters
    ----------
    numbers : ndarray of shape (R,)
        Number of each, from 1.
    estimates : ndarray of shape (R, 2, k, 4)
        For the sample and the pooled synthetic sets (`SOURCES`), for each of the k estimands, the
        `FIGURES`; NaN where the model could not be estimated.
    statistics : ndarray of shape (R, 2, n_variables, n_statistics)
        Univariate statistics of the sample, and their mean over the synthetic sets.
    linkage : ndarray of shape (R,)
        Share of rows of the first set whose nearest real row is the one they stand for.
    failures : DataFrame
        Columns replicate, source, analysis, reason: what could not be estimated.
    """

    numbers: np.ndarray
    estimates: np.ndarray
    statistics: np.ndarray
    linkage: np.ndarray
    failures: pd.DataFrame

    @classmethod
    def join(cls, parts: Sequence[Replicates]) -> Replicates:
        """Put parts of a study together, in the order of their numbers."""
        numbers = np.concatenate([part.numbers for part in parts])
        order = np.argsort(numbers, kind="stable")
        failures = pd.concat([part.failures for part in parts], ignore_index=True)
        columns = ["replicate", "source", "analysis"]
        return cls(
            numbers[order],
            np.concatenate([part.estimates for part in parts])[order],
            np.concatenate([part.statistics for part in parts])[order],
            np.concatenate([part.linkage for part in parts])[order],
            failures.sort_values(columns, kind="stable", ignore_index=True),
        )


@dataclass(frozen=True, eq=False)
class Sampled:
    """A sample of the population and its synthetic sets, encoded."""

    number: int
    sample: np.ndarray
    sets: list[np.ndarray]


def run_replicates(population: Population, seed: int, numbers: Sequence[int]) -> Replicates:
    """Draw samples, synthesise and analyse them.

    Parameters
    ----------
    population : Population
        What is sampled.
    seed : int
        Root seed.
    numbers : sequence of int
        Numbers of the replicates. A replicate depends on the seed and its number alone.

    Returns
    -------
    Replicates
    """
    rows = len(population.matrix) + population.plan.m * population.plan.k
    at_once = max(1, ROWS_AT_ONCE // rows)
    with one_native_thread():
        parts = [
            _analyse(population, [_sample(population, seed, number) for number in block], seed)
            for block in _blocks(list(numbers), at_once)
        ]
    return Replicates.join(parts)


def _blocks(numbers: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def _sample(population: Population, seed: int, number: int) -> Sampled:
    n = len(population.matrix)
    rows = generator(seed, "study", number, "sample").integers(0, n, size=n)
    sample = np.asfortranarray(population.matrix[rows])
    synthesizer = fit_synthesizer(population.plan, sample)
    own_seed = int.from_bytes(generator(seed, "study", number, "seed").bytes(16), "big")
    sets = synthesizer.draw_sets(own_seed, range(1, population.plan.m + 1))
    return Sampled(number, sample, sets)


def _analyse(population: Population, sampled: list[Sampled], seed: int) -> Replicates:
    tables = [table for one in sampled for table in (one.sample, *one.sets)]
    sizes = [len(table) for table in tables]
    frame = population.frame(np.asfortranarray(np.concatenate(tables)))
    each = population.plan.m + 1
    estimates, failures = [], []
    for analysis, truth in zip(population.analyses, population.truths, strict=True):
        fits = fit_stacked(
            frame, sizes, analysis.model, analysis.formula, analysis.variables, **analysis.options
        )
        per_replicate = [fits[i * each : (i + 1) * each] for i in range(len(sampled))]
        results = [_estimate(population, truth.terms, own) for own in per_replicate]
        estimates.append(np.array([figures for figures, _ in results]))
        failures += [
            (one.number, source, analysis.label, reason)
            for one, (_, reasons) in zip(sampled, results, strict=True)
            for source, reason in reasons.items()
        ]
    return Replicates(
        numbers=np.array([one.number for one in sampled]),
        estimates=np.concatenate(estimates, axis=2),
        statistics=np.array([_describe(population, one) for one in sampled]),
        linkage=np.array([_link(population, one, seed) for one in sampled]),
        failures=pd.DataFrame(failures, columns=["replicate", "source", "analysis", "reason"]),
    )


def _estimate(
    population: Population, terms: tuple[str, ...], fits: Sequence[ModelFit | SynthError]
) -> tuple[np.ndarray, dict[str, str]]:
    """Return the figures, an array of shape (2, k, 4), and for each source that failed the reason."""
    figures = np.full((len(SOURCES), len(terms), len(FIGURES)), np.nan)
    reasons: dict[str, str] = {}
    for row, (source, own) in enumerate(zip(SOURCES, (fits[:1], fits[1:]), strict=True)):
        try:
            figures[row] = _pool(population, source, own, terms)
        except SynthError as error:
            reasons[source] = str(error)
    return figures, reasons


def _pool(
    population: Population,
    source: str,
    fits: Sequence[ModelFit | SynthError],
    terms: tuple[str, ...],
) -> np.ndarray:
    usable = []
    for fit in fits:
        if isinstance(fit, SynthError):
            raise fit
        usable.append(fit)
    if usable[0].terms != terms:
        raise PoolingError("the terms are not those of the population")
    if source == "bootstrap":
        return limits_of(usable[0])
    n, k = len(population.matrix), population.plan.k
    return pool_limits(usable, population.rule, n=n if n != k else None)


def _describe(population: Population, one: Sampled) -> np.ndarray:
    of_sample = moments(one.sample[None], population.schema)[0]
    of_sets = moments(np.array(one.sets), population.schema).mean(axis=0)
    return np.stack([of_sample, of_sets])


def _link(population: Population, one: Sampled, seed: int) -> float:
    pair = pair_in_order(TablePair(population.schema, one.sample, one.sets[0]))
    rng = generator(seed, "study", one.number, "linkage")
    return float(link(pair, rng, LINKED_ROWS).credits.mean())
