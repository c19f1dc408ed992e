"""Univariate statistics of many tables at a time."""

from __future__ import annotations

import numpy as np

from synth_tasks.data import Schema

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
STATISTICS = ("mean", "sd", "min", *QUANTILES, "max", "skew", "kurtosis")


def moments(tables: np.ndarray, schema: Schema) -> np.ndarray:
    """Describe every variable of every table.

    Categories count from 1 in the order of the schema, as in Table 2 of Volker & Vink (2021).

    Parameters
    ----------
    tables : ndarray of shape (n_tables, n_rows, n_variables)
        Encoded; missing values that are data do not count.
    schema : Schema
        The variables.

    Returns
    -------
    ndarray of shape (n_tables, n_variables, n_statistics)
        In the order of `STATISTICS`. Skewness and kurtosis are g1 and g2 with the sample standard
        deviation in place of the population's: the b1 and b2 of Joanes & Gill.

    References
    ----------
    Joanes & Gill (1998). Comparing measures of sample skewness and kurtosis. Journal of the Royal
    Statistical Society D 47, 183-189.
    """
    first = np.array([float(variable.is_categorical) for variable in schema])
    x = tables + first
    some_missing = bool(np.isnan(x).any())
    add, quantile = (np.nansum, np.nanquantile) if some_missing else (np.sum, np.quantile)
    n = (~np.isnan(x)).sum(axis=1)
    mean = add(x, axis=1) / n
    away = x - mean[:, None]
    square = away * away
    sd = np.sqrt(add(square, axis=1) / np.maximum(n - 1, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        skew = add(square * away, axis=1) / n / sd**3
        kurtosis = add(square * square, axis=1) / n / sd**4 - 3
    levels = [0.0, *QUANTILES.values(), 1.0]
    quantiles = list(quantile(x, levels, axis=1))
    return np.stack([mean, sd, *quantiles, skew, kurtosis], axis=-1)
