"""A synthetic census: twenty columns of all kinds that depend on each other, of any number of rows.

``python -m tests.benchmarks.census FOLDER --rows 1000000`` writes it to a folder of Parquet files,
block by block; nothing larger than a block is in memory. A row depends on seed and place alone, so
that a longer census begins with a shorter one.

Households live in twenty regions of different wealth. Age, sex and region lead to school, work and
family; these to hours and income; all of them to health. Ordered and nominal variables, counts with
many zeros, heavy tails, a date, and incomes of which some are missing, more often the high ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synth_tasks.seeding import generator

SEED = 20_260
BLOCK_ROWS = 50_000
FILE_BLOCKS = 10
REGIONS = [f"region {i:02d}" for i in range(1, 21)]
SCHOOLS = ["none", "primary", "lower", "upper", "degree"]
FAMILIES = ["single", "couple", "married", "divorced", "widowed"]
HEALTH = ["bad", "poor", "fair", "good", "very good"]
WORK = [f"work {i:02d}" for i in range(29)]
BRANCHES = [f"branch {i:02d}" for i in range(15)]
STATUS = ["child", "student", "employed", "unemployed", "retired"]
HOMES = ["owned", "rented", "social", "other"]


def census_block(number: int, n_rows: int = BLOCK_ROWS, seed: int = SEED) -> pd.DataFrame:
    """Return a block of the census.

    Parameters
    ----------
    number : int
        Of the block, from 0.
    n_rows : int, default 50,000
        Its first rows.
    seed : int
        Of the census.

    Returns
    -------
    DataFrame of shape (n_rows, 20)
    """
    rng = generator(seed, "census", number)
    n = BLOCK_ROWS
    # Regions of different size: the largest has about six times the people of the smallest.
    weights = np.linspace(1, 6, len(REGIONS))
    region = rng.choice(len(REGIONS), n, p=weights / weights.sum())
    wealth = 0.3 * np.sin(region) + rng.standard_normal(n)
    urban = rng.random(n) < _logistic(0.4 * np.cos(region * 2) + 0.3 * wealth)
    age = np.floor(np.clip(rng.gamma(4.0, 11.0, n) - 4, 0, 100))
    female = rng.random(n) < _logistic((age - 60) / 40)
    adult = age >= 18
    school = _grade(0.8 * wealth + 0.3 * urban - age / 50 + rng.standard_normal(n), [-2, -1, 0, 1])
    school = np.where(adult, school, np.minimum(school, (age >= 6).astype(int) + (age >= 12)))
    status = np.select(
        [age < 16, (age < 24) & (rng.random(n) < 0.6), age >= 66, rng.random(n) < 0.12],
        [0, 1, 4, 3],
        2,
    )
    family = np.where(
        adult, _grade((age - 35) / 15 + rng.standard_normal(n), [-0.7, 0, 1.8, 2.6]), 0
    )
    children = np.where(adult, rng.poisson(np.exp(0.3 * (family > 0) + 0.02 * (age - 40) - 0.4)), 0)
    household = 1 + (family > 0) * (family < 3) + np.minimum(children, 6) * (age < 60)
    working = status == 2
    branch = np.where(working, _grade_evenly(0.7 * school + rng.standard_normal(n), 14) + 1, 0)
    kind = _grade_evenly(wealth + rng.standard_normal(n), 2)
    work = np.where(working, branch * 2 - 1 + kind, 0)
    hours = np.where(
        working, np.rint(np.clip(38 - 6 * female + 7 * rng.standard_normal(n), 4, 70)), 0
    )
    level = 9.6 + 0.35 * wealth + 0.22 * school + 0.012 * hours - 0.1 * female + 0.1 * urban
    income = np.exp(level + 0.4 * rng.standard_normal(n)) * (status > 0)
    missing = rng.random(n) < 0.02 * (1 + (income > 40_000))
    home = np.select([wealth + age / 60 > 1.2, wealth < -1], [0, 2], 1)
    home = np.where(rng.random(n) < 0.03, 3, home)
    rent = np.where(
        home == 0, 0, np.exp(5.9 + 0.15 * wealth + 0.2 * urban + 0.2 * rng.standard_normal(n))
    )
    commute = np.where(working, np.rint(rng.gamma(2.0, 9 + 8 * ~urban)), 0)
    bmi = 22 + 0.06 * np.minimum(age, 60) - 0.5 * school + 3.2 * rng.standard_normal(n)
    smoker = adult & (rng.random(n) < _logistic(-0.6 - 0.4 * school - 0.3 * female))
    health = _grade(
        1.4 + 0.4 * wealth - age / 45 - 0.5 * smoker + rng.standard_normal(n), [-2, -1, 0, 1.2]
    )
    day = rng.integers(0, 90, n) + 7 * (region % 5)
    frame = pd.DataFrame(
        {
            "region": _labels(region, REGIONS),
            "urban": urban,
            "age": age.astype("int64"),
            "sex": _labels(female, ["male", "female"]),
            "family": _labels(family, FAMILIES),
            "children": np.minimum(children, 12).astype("int64"),
            "household": household.astype("int64"),
            "school": _labels(school, SCHOOLS, ordered=True),
            "status": _labels(status, STATUS),
            "branch": _labels(branch, BRANCHES),
            "work": _labels(work, WORK),
            "hours": hours.astype("int64"),
            "income": np.where(missing, np.nan, np.round(income, 0)),
            "home": _labels(home, HOMES),
            "rent": np.round(rent, 2),
            "commute": commute.astype("int64"),
            "bmi": np.round(bmi, 1),
            "smoker": smoker,
            "health": _labels(health, HEALTH, ordered=True),
            "visit": pd.Timestamp("2025-01-06") + pd.to_timedelta(day, "D"),
        }
    )
    return frame.head(n_rows)


def census(n_rows: int, seed: int = SEED) -> pd.DataFrame:
    """Return the first rows of the census in one table."""
    blocks = range(-(-n_rows // BLOCK_ROWS))
    parts = [census_block(i, min(BLOCK_ROWS, n_rows - i * BLOCK_ROWS), seed) for i in blocks]
    return pd.concat(parts, ignore_index=True)


def write_census(folder: Path, n_rows: int, seed: int = SEED) -> Path:
    """Write the first rows of the census to Parquet files of up to 500,000 rows each.

    Parameters
    ----------
    folder : Path
        Where to; it is made if need be.
    n_rows : int
        Number of rows.
    seed : int
        Of the census.

    Returns
    -------
    Path
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    n_blocks = -(-n_rows // BLOCK_ROWS)
    for first in range(0, n_blocks, FILE_BLOCKS):
        writer: pq.ParquetWriter | None = None
        for i in range(first, min(first + FILE_BLOCKS, n_blocks)):
            rows = min(BLOCK_ROWS, n_rows - i * BLOCK_ROWS)
            table = pa.Table.from_pandas(census_block(i, rows, seed), preserve_index=False)
            if writer is None:
                path = folder / f"part-{first // FILE_BLOCKS:04d}.parquet"
                writer = pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
        assert writer is not None
        writer.close()
    return folder


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _grade(x: np.ndarray, cuts: list[float]) -> np.ndarray:
    return np.digitize(x, cuts)


def _grade_evenly(x: np.ndarray, count: int) -> np.ndarray:
    """Return 0 to count - 1, about equally many of each."""
    return np.digitize(x, np.quantile(x, np.arange(1, count) / count))


def _labels(codes: np.ndarray, labels: list[str], ordered: bool = False) -> pd.Categorical:
    return pd.Categorical.from_codes(codes.astype(int), labels, ordered=ordered)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.census")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    write_census(options.folder, options.rows, options.seed)


if __name__ == "__main__":
    main()
