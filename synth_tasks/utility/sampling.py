"""A sample of rows where a comparison of all of them would take too long.

If the synthetic rows are drawn from the real table (a plug-in synthesis), the mean of a variable in the
synthetic table differs from the real one by a variance of sigma² / k: the real rows are given. A sample
of n of N real rows is not: by the correction for finite populations the variance between k synthetic
and n real rows is

    sigma² (1/k + (1 - n/N) / n)

whereas it is sigma² (1/k + 1/n) for two samples of people, or of labels given at random. Tables may
arrive as samples: n/N is the share of the real rows that are left in the end.

References
----------
Cochran (1977). Sampling Techniques, third edition, section 2.6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from synth_tasks.utility.pair import TablePair


@dataclass(frozen=True, slots=True)
class SampledPair:
    """Rows of two tables.

    Parameters
    ----------
    pair : TablePair
        The rows.
    real_share : float
        Share of all real rows among them, in (0, 1].
    """

    pair: TablePair
    real_share: float

    @property
    def plug_in_variance(self) -> float:
        """Variance of a difference of means under a plug-in synthesis, in units of sigma²."""
        n, k = len(self.pair.real), len(self.pair.synthetic)
        return 1 / k + (1 - self.real_share) / n

    @property
    def two_sample_variance(self) -> float:
        """Variance of a difference of means between two random samples, in units of sigma²."""
        return 1 / len(self.pair.real) + 1 / len(self.pair.synthetic)


def sample_rows(pair: TablePair, max_rows: int, rng: np.random.Generator) -> SampledPair:
    """Take at most half of `max_rows` rows from each table, without replacement.

    Parameters
    ----------
    pair : TablePair
        The tables.
    max_rows : int
        Largest number of rows of both together; tables with fewer are taken whole.
    rng : Generator
        Chooses the rows of larger tables; not used otherwise.
    """
    if pair.n_rows <= max_rows:
        return SampledPair(pair, pair.real_share)
    real = _choose(pair.real, max_rows // 2, rng)
    synthetic = _choose(pair.synthetic, max_rows // 2, rng)
    share = pair.real_share * len(real) / max(1, len(pair.real))
    return SampledPair(replace(pair, real=real, synthetic=synthetic, real_share=share), share)


def _choose(matrix: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    if len(matrix) <= size:
        return matrix
    return matrix[np.sort(rng.choice(len(matrix), size=size, replace=False))]
