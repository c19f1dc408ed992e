"""General utility: how far a synthetic set as a whole, and all its parts, are from the real table.

These metrics stand beside those of `assess`: they look at relations of any form, and cost more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from synth_tasks.data import Schema
from synth_tasks.engine.workers import one_native_thread
from synth_tasks.ledger import Measurement, Metric
from synth_tasks.seeding import generator
from synth_tasks.utility import (
    category_associations,
    classifier,
    contingency,
    density_ratio,
    distances,
    pmse_cart,
    pmse_logit,
    quantiles,
    triples,
)
from synth_tasks.utility.grouping import GroupedPair, group_pair
from synth_tasks.utility.pair import TablePair
from synth_tasks.utility.sampling import SampledPair, sample_rows

GENERAL_METRICS: tuple[Metric, ...] = (
    *distances.METRICS,
    *quantiles.METRICS,
    *category_associations.METRICS,
    *contingency.METRICS,
    *triples.METRICS,
    *pmse_logit.METRICS,
    *pmse_cart.METRICS,
    *classifier.METRICS,
    *density_ratio.METRICS,
)


@dataclass(frozen=True)
class RowLimits:
    """Most rows of both tables together that a metric looks at; samples of larger tables.

    Parameters
    ----------
    pmse : int, default 100,000
        For both pMSE.
    classifier : int, default 20,000
        For the classifier; the standard error of its AUC is then about 0.004.
    density_ratio : int, default 4,000
        For the density ratio.
    """

    pmse: int = 100_000
    classifier: int = 20_000
    density_ratio: int = 4_000


@dataclass(frozen=True)
class Comparison:
    """Two tables, and what several metrics need of them.

    Parameters
    ----------
    pair : TablePair
        The tables.
    limits : RowLimits
        Sizes of samples.
    seed : int
        From which each metric derives random numbers of its own.
    """

    pair: TablePair
    limits: RowLimits
    seed: int

    @cached_property
    def grouped(self) -> GroupedPair:
        """Cells of all rows."""
        return group_pair(self.pair)

    @cached_property
    def sampled(self) -> SampledPair:
        """Rows for both pMSE."""
        return self.sample(self.limits.pmse)

    def sample(self, max_rows: int) -> SampledPair:
        """Return a sample of rows; the same for the same number."""
        return sample_rows(self.pair, max_rows, self.rng("sample", max_rows))

    def rng(self, *address: str | int) -> np.random.Generator:
        """Return the random numbers of a metric, which do not depend on the other metrics."""
        return generator(self.seed, "general utility", *address)


Measure = Callable[[Comparison], list[Measurement]]
MEASURES: tuple[Measure, ...] = (
    lambda c: distances.measure_distances(c.pair, c.grouped),
    lambda c: quantiles.measure_quantiles(c.pair),
    lambda c: category_associations.measure_category_associations(c.pair),
    lambda c: contingency.measure_contingency(c.grouped),
    lambda c: triples.measure_triples(c.grouped, c.rng("triples")),
    lambda c: pmse_logit.measure_pmse_logit(c.sampled),
    lambda c: pmse_cart.measure_pmse_cart(c.sampled, c.rng("pmse_cart")),
    lambda c: classifier.measure_classifier(c.sample(c.limits.classifier), c.rng("classifier")),
    lambda c: density_ratio.measure_density_ratio(
        c.sample(c.limits.density_ratio).pair, c.rng("density_ratio")
    ),
)


def assess_general(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    set_number: int,
    *,
    rng: np.random.Generator,
    limits: RowLimits | None = None,
    real_share: float = 1.0,
) -> list[Measurement]:
    """Measure what a synthetic set keeps, beyond single variables and pairs.

    Parameters
    ----------
    real : DataFrame of shape (n, p)
        The table that was synthesised.
    synthetic : DataFrame of shape (k, p)
        One synthetic set; the order of its rows does not matter but for random errors.
    schema : Schema
        Description of both.
    set_number : int
        Number of the set, 1..m.
    rng : Generator
        Permutes labels, puts rows into folds, and samples rows of large tables.
    limits : RowLimits, optional
        Sizes of the samples.
    real_share : float, default 1
        Share of the real rows of which `real` consists, if it is a random sample of them: such a
        sample is not given but drawn, and every null value rests on that.

    Returns
    -------
    list of Measurement
        Metrics of `GENERAL_METRICS`, every value finite.
    """
    pair = TablePair.encode(real, synthetic, schema, set_number, real_share)
    comparison = Comparison(pair, limits or RowLimits(), int(rng.integers(2**63)))
    with one_native_thread():
        return [found for measure in MEASURES for found in measure(comparison)]
