"""Distances between synthetic and real rows over variables of mixed kind.

The distance of two rows is the sum over variables of

    |a - b| / range of the real data, at most 1    numeric variables
    |a - b| / (K - 1), on codes                    ordinal variables with K categories
    0 if a = b, else 1                             nominal and binary variables

Missing is a value of its own: 0 from missing, 1 from everything else. A numeric variable that is
constant in the real data counts as nominal. Divided by the number of variables this is the distance
of Gower, in [0, 1].

References
----------
Gower (1971). A general coefficient of similarity and some of its properties. Biometrics
27, 857-871.
"""

from __future__ import annotations

import numpy as np

from synth_tasks.data import Kind, Variable
from synth_tasks.utility.pair import TablePair

# On the scale where 1 is as far apart as values can be, this is further from all of them.
MISSING = 8.0


def scale_pair(pair: TablePair) -> tuple[np.ndarray, np.ndarray]:
    """Put all variables on the scale where the distance is ``min(|a - b|, 1)``.

    Returns
    -------
    real : ndarray of shape (p, n), float64
        One variable a row.
    synthetic : ndarray of shape (p, k), float64
        Likewise.
    """
    real = np.empty(pair.real.shape[::-1])
    synthetic = np.empty(pair.synthetic.shape[::-1])
    for i, variable in enumerate(pair.schema):
        real[i], synthetic[i] = _scale(pair.real[:, i], pair.synthetic[:, i], variable)
    return real, synthetic


def _scale(
    real: np.ndarray, synthetic: np.ndarray, variable: Variable
) -> tuple[np.ndarray, np.ndarray]:
    if variable.is_categorical:
        # Codes of different categories are at least 1 apart, unless they are ordered.
        steps = len(variable.categories) - 1 if variable.kind is Kind.ORDINAL else 1
        # From 0 up, codes of nominal variables could reach the mark of missing values: go down.
        real, synthetic = -real / max(steps, 1), -synthetic / max(steps, 1)
    else:
        observed = real[~np.isnan(real)]
        origin = observed.min() if len(observed) else 0.0
        spread = float(np.ptp(observed)) if len(observed) else 0.0
        if spread > 0:
            # Beyond -1 and 2 every real value is at distance 1.
            real = (real - origin) / spread
            synthetic = np.clip((synthetic - origin) / spread, -1.0, 2.0)
        else:
            real = real - origin
            synthetic = np.where(np.isnan(synthetic), np.nan, synthetic != origin)
    return np.nan_to_num(real, nan=MISSING), np.nan_to_num(synthetic, nan=MISSING)
