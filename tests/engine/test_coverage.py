"""Rubin's intervals keep their promise where holes depend on what is observed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from synth_tasks.engine import mice
from synth_tasks.inference import ModelFit, pool
from tests.engine.builders import read_fixture

R = read_fixture("r_coverage.json")
SLOPE = 0.6
TRUTH = {"mean of y": 0.0, "slope of x": SLOPE}


def amputed(n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw normal x, z and y = .6 x + e with 40 % of y missing, the more often the larger x."""
    x, z, y = rng.standard_normal((3, n_rows))
    frame = pd.DataFrame({"x": x, "y": SLOPE * x + np.sqrt(1 - SLOPE**2) * y})
    frame["z"] = 0.5 * frame["x"] + 0.3 * frame["y"] + 0.7 * z
    frame.loc[rng.random(n_rows) < expit(x - 0.5), "y"] = np.nan
    frame.loc[rng.random(n_rows) < 0.2, "z"] = np.nan
    return frame


def estimates(values: np.ndarray) -> ModelFit:
    """Estimate `TRUTH` from one completed set."""
    n_rows, x, y = len(values), values[:, 0] - values[:, 0].mean(), values[:, 1]
    slope = x @ y / (x @ x)
    residuals = y - y.mean() - slope * x
    variance_of_slope = residuals @ residuals / (n_rows - 2) / (x @ x)
    covariance = np.diag([y.var(ddof=1) / n_rows, variance_of_slope])
    found = np.array([y.mean(), slope])
    return ModelFit("ols", "y ~ x", tuple(TRUTH), found, covariance, n_rows - 2.0, n_rows)


def coverage(replicates: int, n_rows: int = 200, **settings: Any) -> dict[str, float]:
    """Return the share of 95 % intervals that hold the truth, by estimate."""
    rng = np.random.default_rng(4)
    hits = np.zeros(len(TRUTH))
    truth = np.array(list(TRUTH.values()))
    for seed in range(replicates):
        completed = mice(amputed(n_rows, rng), m=5, maxit=3, seed=seed, **settings)
        table = pool([estimates(values) for values in completed.sets], rule="rubin1987").table
        hits += (table["conf_low"] <= truth) & (truth <= table["conf_high"])
    return dict(zip(TRUTH, hits / replicates, strict=True))


# A tree has no parameters to draw: it needs the bootstrap (proper=True), as theory says.
METHODS: dict[str, dict[str, Any]] = {
    "norm": {"method": "norm"},
    "pmm": {"method": "pmm"},
    "cart": {"method": "cart", "proper": True},
}


def strange(name: str, replicates: int, expected: dict[str, float]) -> dict[str, float]:
    """Return the coverages that are off by more than three standard errors."""
    found = coverage(replicates, **METHODS[name])
    error = np.sqrt(0.95 * 0.05 / replicates)
    return {k: v for k, v in found.items() if abs(v - expected[k]) > 3 * error}


@pytest.mark.parametrize("name", METHODS)
def test_intervals_cover_as_they_promise(name: str) -> None:
    assert strange(name, 100, dict.fromkeys(TRUTH, 0.95)) == {}


# Not cart: its leaves cannot extrapolate either, and the mean of y is covered with .93.
@pytest.mark.slow
def test_intervals_of_a_right_model_cover_as_they_promise_in_the_long_run() -> None:
    assert strange("norm", 2000, dict.fromkeys(TRUTH, 0.95)) == {}


@pytest.mark.slow
def test_those_of_pmm_miss_the_promise_as_in_r() -> None:
    # Where most of y is missing there are too few donors: R's mice covers the slope with .89.
    replicates = 1000
    found = coverage(replicates, **METHODS["pmm"])
    for term, share in R["pmm"].items():
        error = np.sqrt(share * (1 - share) * (1 / replicates + 1 / R["replicates"]))
        assert abs(found[term] - share) < 3 * error, (term, found[term], share)
