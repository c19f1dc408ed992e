"""Linkage of synthetic rows to the real rows they were made from.

Row i of a synthetic set that is still in the order of its source has real row i as its source. If a
synthesis conditions on real values of the row, the source is the nearest real row far more often
than chance allows; an intruder who holds the order, or several sets in one order, can use it.
Shuffling hides the link but does not remove it, so it is measured before.

``self_linkage``       share of synthetic rows whose nearest real row (`gower`) is their source;
                       when t real rows are equally near, the source among them counts 1/t.
                       In [0, 1], null value 1/n.
``self_linkage_excess``  ``self_linkage`` minus its null value. In [-1, 1], null value 0. A bound on it
                       means the same for small tables, whose 1/n is large, as for large ones.
``self_linkage_rank``  median over synthetic rows of the share of other real rows that are nearer
                       than the source, ties counted half. In [0, 1], null value 0.5; small values
                       disclose.

The metrics with ``_average`` treat the average over sets as one set: averaging removes the noise
and leaves what the sets share with their source.

Not to be used when rows are shuffled or their number is not that of the real table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from synth_tasks.disclosure.gower import scale_pair
from synth_tasks.disclosure.neighbours import TIE, Neighbours, find_neighbours, own_distances
from synth_tasks.errors import DataError
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.intervals import clopper_pearson, median_interval
from synth_tasks.utility.pair import TablePair

SELF_LINKAGE = Metric(
    family="disclosure",
    name="self_linkage",
    goal=Goal.LOW,
    minimum=0.0,
    maximum=1.0,
    null=NOT_GIVEN,
    reference="synth_tasks.disclosure.linkage; Gower (1971); Clopper & Pearson (1934)",
)
SELF_LINKAGE_EXCESS = replace(SELF_LINKAGE, name="self_linkage_excess", minimum=-1.0, null=0.0)
SELF_LINKAGE_RANK = replace(SELF_LINKAGE, name="self_linkage_rank", goal=Goal.NEAR_NULL, null=0.5)
SELF_LINKAGE_AVERAGE = replace(SELF_LINKAGE, name="self_linkage_average")
SELF_LINKAGE_AVERAGE_EXCESS = replace(SELF_LINKAGE_EXCESS, name="self_linkage_average_excess")
SELF_LINKAGE_RANK_AVERAGE = replace(SELF_LINKAGE_RANK, name="self_linkage_rank_average")
METRICS = (
    SELF_LINKAGE,
    SELF_LINKAGE_EXCESS,
    SELF_LINKAGE_RANK,
    SELF_LINKAGE_AVERAGE,
    SELF_LINKAGE_AVERAGE_EXCESS,
    SELF_LINKAGE_RANK_AVERAGE,
)

MAX_ROWS = 3000


@dataclass(frozen=True, slots=True)
class Linkage:
    """How near the rows of a synthetic set are to their sources.

    Parameters
    ----------
    credits : ndarray of shape (rows,)
        1/t if the source is among the t nearest real rows, else 0.
    ranks : ndarray of shape (rows,)
        Share of other real rows that are nearer than the source, ties counted half.
    neighbours : Neighbours
        The real rows near the synthetic ones.
    n_real : int
        Number of real rows.
    """

    credits: np.ndarray
    ranks: np.ndarray
    neighbours: Neighbours
    n_real: int


def check_linkable(pair: TablePair) -> None:
    """Refuse tables in which row i cannot have real row i as its source."""
    if len(pair.real) < len(pair.synthetic):
        raise DataError(
            f"the synthetic set has {len(pair.synthetic)} rows, the real table {len(pair.real)}: "
            "linkage to the source needs one for each (linkable=False leaves it out)"
        )


def pair_in_order(pair: TablePair) -> TablePair:
    """Leave out synthetic rows beyond the number of real rows.

    A set of another size was drawn without regard to single real rows: its rows are compared with the
    real ones in order, and chance is what one should find.
    """
    return replace(pair, synthetic=pair.synthetic[: len(pair.real)])


def link(
    pair: TablePair, rng: np.random.Generator, max_rows: int = MAX_ROWS, workers: int = 1
) -> Linkage:
    """Compare synthetic rows with all real rows, in one pass over the distances.

    Parameters
    ----------
    pair : TablePair
        Tables in equal row order.
    rng : Generator
        Chooses the rows when there are too many; not used otherwise.
    max_rows : int
        Compare a random sample of so many synthetic rows at most.
    workers : int, default 1
        Threads.

    Returns
    -------
    Linkage
    """
    check_linkable(pair)
    n, n_synthetic = len(pair.real), len(pair.synthetic)
    sources = np.arange(n_synthetic)
    if n_synthetic > max_rows:
        sources = np.sort(rng.choice(n_synthetic, size=max_rows, replace=False))
    real, synthetic = scale_pair(pair)
    queries = synthetic[:, sources]
    own = own_distances(queries, real[:, sources])
    near = find_neighbours(queries, real, asked=own, workers=workers)
    credits = np.where(own <= near.first + TIE, 1 / near.tied, 0.0)
    ranks = (near.nearer + near.not_further - 1) / 2 / max(n - 1, 1)
    return Linkage(credits, ranks, near, n)


def measure_linkage(
    linkage: Linkage, set_number: int = 0, *, average: bool = False
) -> list[Measurement]:
    """Measure linkage of synthetic rows to their sources.

    Parameters
    ----------
    linkage : Linkage
        As found by `link`.
    set_number : int
        Number of the set.
    average : bool
        Whether the synthetic table is the average over sets.

    Returns
    -------
    list of Measurement
        ``self_linkage`` with exact binomial interval, ``self_linkage_excess`` with the same less the
        null value, and ``self_linkage_rank`` with the interval of a median (or the same of the
        average), n = synthetic rows compared.
    """
    rank = SELF_LINKAGE_RANK_AVERAGE if average else SELF_LINKAGE_RANK
    return [
        *_measure_share(linkage, set_number, average=average),
        rank.measure(
            float(np.median(linkage.ranks)),
            set_number=set_number,
            interval=median_interval(linkage.ranks),
            n=len(linkage.ranks),
        ),
    ]


def _measure_share(linkage: Linkage, set_number: int, *, average: bool) -> list[Measurement]:
    share = SELF_LINKAGE_AVERAGE if average else SELF_LINKAGE
    excess = SELF_LINKAGE_AVERAGE_EXCESS if average else SELF_LINKAGE_EXCESS
    n, null = len(linkage.credits), 1 / linkage.n_real
    hits = float(linkage.credits.sum())
    lower, upper = clopper_pearson(hits, n)
    return [
        share.measure(hits / n, set_number=set_number, interval=(lower, upper), null=null, n=n),
        excess.measure(
            hits / n - null, set_number=set_number, interval=(lower - null, upper - null), n=n
        ),
    ]
