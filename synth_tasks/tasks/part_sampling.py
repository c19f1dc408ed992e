"""Random rows of strata: what is measured on samples, and how many rows those have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.part_models import DrawnStratum


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
    most = sample_rows(context)
    by_set = zip(*([each.ref.rows for each in own.controlled] for own in drawn), strict=True)
    n_rows = sum(own.stratum.rows for own in drawn)
    return SampleShares(min(1.0, most / n_rows), [min(1.0, most / sum(rows)) for rows in by_set])


def sample_rows(context: RunContext) -> int:
    """Return the most rows of a sample: `partition.sample_rows`."""
    assert context.spec.partition is not None  # noqa: S101  (tells the type checker)
    return context.spec.partition.sample_rows


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
