"""Which pairs of variables are measured: all of them, in very wide tables a part.

The number of pairs grows with the square of the number of variables: 500 have 124,750. Where there are
more than 5000 (more than 100 variables), so many are taken at equal steps from the list of all pairs
(1, 2), (1, 3), ..., (p - 1, p): a systematic sample, the same for every set, in which each variable
has partners.

References
----------
Cochran (1977). Sampling Techniques, third edition, chapter 8 (systematic sampling).
"""

from __future__ import annotations

import math

import numpy as np

MAX_PAIRS = 5_000


def choose_pairs(n_variables: int, most: int = MAX_PAIRS) -> list[tuple[int, int]]:
    """Choose the pairs to be measured.

    Parameters
    ----------
    n_variables : int
        Number of variables.
    most : int, default 5000
        Most pairs.

    Returns
    -------
    list of tuple of int
        Positions (i, j), i < j, in the order of the list of all pairs.
    """
    count = math.comb(n_variables, 2)
    first, second = np.triu_indices(n_variables, k=1)
    # The middle of each of `most` equal parts of the list.
    steps = np.arange(count) if count <= most else ((np.arange(most) + 0.5) * count / most)
    taken = steps.astype(int)
    return list(zip(first[taken].tolist(), second[taken].tolist(), strict=True))
