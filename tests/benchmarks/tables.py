"""Tables to measure with, of any number of rows and from a seed."""

from __future__ import annotations

import numpy as np
import pandas as pd

SEED = 20_211


def numeric_table(n_rows: int, n_columns: int = 20) -> pd.DataFrame:
    """Return numbers of which each depends on some of those before it, in part not linearly."""
    rng = np.random.default_rng(SEED)
    columns = [rng.standard_normal(n_rows)]
    for j in range(1, n_columns):
        signal = 0.6 * columns[j - 1] + 0.4 * np.tanh(columns[j // 2]) ** 2
        columns.append(signal + 0.8 * rng.standard_normal(n_rows))
    return pd.DataFrame({f"x{j}": column for j, column in enumerate(columns)})


def mixed_table(n_rows: int) -> pd.DataFrame:
    """Return a table as a census gives it.

    Ten numbers, five whole numbers, three nominal variables of 8, 40 and 200 levels and two ordered
    ones, all related.
    """
    rng = np.random.default_rng(SEED)
    wealth = rng.standard_normal(n_rows)
    age = np.clip(rng.gamma(4.0, 11.0, n_rows), 0, 100)
    columns: dict[str, object] = {"age": np.floor(age).astype("int64")}
    place = np.floor(200 * _uniform(0.5 * wealth + rng.standard_normal(n_rows)) ** 2)
    for name, n_levels in (("place", 200), ("work", 40), ("status", 8)):
        codes = np.floor(place * n_levels / 200 + rng.exponential(n_levels / 20, n_rows))
        labels = [f"{name} {i:03d}" for i in range(n_levels)]
        columns[name] = pd.Categorical.from_codes((codes % n_levels).astype(int), labels)
    for name in ("health", "school"):
        codes = np.digitize(wealth - age / 60 + rng.standard_normal(n_rows), [-2, -1, 0, 1])
        labels = [f"{name} {i}" for i in range(5)]
        columns[name] = pd.Categorical.from_codes(codes, labels, ordered=True)
    for j in range(4):
        columns[f"count{j}"] = rng.poisson(np.exp(0.4 * wealth + 0.2 * j))
    level = wealth + 0.01 * age
    for j in range(10):
        level = 0.7 * level + 0.3 * np.sin(place / 30 + j) + 0.5 * rng.standard_normal(n_rows)
        columns[f"amount{j}"] = np.round(np.exp(level) * 1000, 2) if j % 2 else level
    return pd.DataFrame(columns)


def _uniform(values: np.ndarray) -> np.ndarray:
    """Return the ranks of values, between 0 and 1."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values)] = (np.arange(len(values)) + 0.5) / len(values)
    return ranks
