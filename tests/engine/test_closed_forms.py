"""What theory and R's mice say must come out, within Monte Carlo error."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial import cKDTree

from synth_tasks.data import infer_schema
from synth_tasks.datasets import load_boys, load_boys_completed
from synth_tasks.engine import mice, synthesize
from synth_tasks.engine.design_matrix import expand
from tests.engine.builders import correlated, correlation, read_fixture

SIGMA = np.array(
    [[1.0, 0.6, 0.3, 0.2], [0.6, 1.0, 0.5, 0.1], [0.3, 0.5, 1.0, 0.4], [0.2, 0.1, 0.4, 1.0]]
)


@pytest.fixture(autouse=True)
def _expected_warnings() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="conditioning='observed'")
        yield


def near(estimates: np.ndarray, expected: np.ndarray | float, bias: float = 0.0) -> bool:
    """Whether means of replicates agree with theory within four standard errors."""
    error = np.std(estimates, axis=0, ddof=1) / np.sqrt(len(estimates))
    return bool((np.abs(np.mean(estimates, axis=0) - expected) < 4 * error + bias).all())


# --- correlations ---------------------------------------------------------------------------------


def synthetic_correlations(replicates: int, n_rows: int = 500, **settings: Any) -> np.ndarray:
    rng = np.random.default_rng(1)
    found = []
    for seed in range(replicates):
        frame = correlated(n_rows, 0.8, rng)
        found.append(correlation(synthesize(frame, m=1, seed=seed, **settings).complete(1)))
    return np.array(found)


@pytest.mark.parametrize("order", ["roman", "arabic"])
def test_sequential_synthesis_keeps_a_correlation(order: str) -> None:
    found = synthetic_correlations(150, method="norm", visit_sequence=order)
    assert near(found, 0.8, bias=0.002)
    assert found.mean() == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("method", ["pmm", "cart"])
def test_donor_methods_keep_it_as_well(method: str) -> None:
    found = synthetic_correlations(40, n_rows=1000, method=method)
    assert found.mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("order", ["roman", "arabic"])
def test_observed_conditioning_cubes_a_correlation(order: str) -> None:
    settings: dict[str, Any] = {"conditioning": "observed", "visit_sequence": order}
    found = synthetic_correlations(150, method="norm", **settings)
    assert near(found, 0.8**3, bias=0.004)
    assert found.mean() == pytest.approx(0.512, abs=0.015)


def covariances(conditioning: str, replicates: int, n_rows: int = 2000) -> np.ndarray:
    rng = np.random.default_rng(2)
    root = np.linalg.cholesky(SIGMA)
    found = []
    for seed in range(replicates):
        frame = pd.DataFrame(rng.standard_normal((n_rows, 4)) @ root.T, columns=list("abcd"))
        drawn = synthesize(frame, m=1, method="norm", conditioning=conditioning, seed=seed)
        found.append(np.cov(drawn.sets[0].T)[np.triu_indices(4)])
    return np.array(found)


def test_sequential_synthesis_keeps_every_covariance() -> None:
    assert near(covariances("synthetic", 60), SIGMA[np.triu_indices(4)], bias=0.005)


def test_observed_conditioning_moves_covariances_as_theory_says() -> None:
    omega = np.linalg.inv(SIGMA)
    shifted = SIGMA + omega / np.outer(np.diag(omega), np.diag(omega))
    np.fill_diagonal(shifted, 1.0)
    assert near(covariances("observed", 60), shifted[np.triu_indices(4)], bias=0.005)
    # The scheme can make relations up: a correlation of .1 becomes .23.
    assert shifted[1, 3] == pytest.approx(0.233, abs=0.001)


# --- linkage --------------------------------------------------------------------------------------


def own_source_hits(conditioning: str, m: int) -> int:
    """Count rows whose nearest real row is their own source."""
    boys = load_boys_completed()
    options = {"cart": {"minbucket": 3, "cp": 1e-8}}
    synthetic = synthesize(boys, m=m, method_options=options, conditioning=conditioning, seed=1)
    variables = tuple(infer_schema(boys))
    real = expand(synthetic_codes(boys), variables)
    scale = real.std(axis=0)
    tree = cKDTree(real / scale)
    return sum(
        int((tree.query(expand(s, variables) / scale)[1] == np.arange(748)).sum())
        for s in synthetic.sets
    )


def synthetic_codes(frame: pd.DataFrame) -> np.ndarray:
    return mice(frame, m=1, where="none", seed=1).sets[0]


def test_a_synthetic_row_is_no_nearer_to_its_source_than_by_chance() -> None:
    hits = own_source_hits("synthetic", m=20)
    # By chance one row of each set: twenty in all.
    assert stats.poisson.sf(hits - 1, 20) > 1e-3


def test_observed_conditioning_links_rows_to_their_source() -> None:
    assert own_source_hits("observed", m=2) / (2 * 748) > 0.10


# --- imputation -----------------------------------------------------------------------------------


def boys_statistics(frames: list[pd.DataFrame]) -> dict[str, dict[str, np.ndarray]]:
    missing = load_boys().isna()
    found = {
        "numbers": {
            name: np.array([f.loc[missing[name], name].astype(float).mean() for f in frames])
            for name in ("hgt", "wgt", "bmi", "hc", "tv")
        }
    }
    for name in ("gen", "phb", "reg"):
        found[name] = {
            level: np.array([(f.loc[missing[name], name] == level).mean() for f in frames])
            for level in frames[0][name].cat.categories
        }
    return found


def test_the_boys_are_imputed_as_r_imputes_them() -> None:
    reference = read_fixture("r_boys.json")
    imputed = mice(
        load_boys(),
        m=12,
        maxit=10,
        method={"bmi": "~ I(wgt / (hgt / 100)^2)"},
        predictor_matrix={"hgt": {"bmi": 0}, "wgt": {"bmi": 0}},
        seed=123,
    )
    found = boys_statistics(imputed.complete("all"))
    strange = {}
    for group, statistics in found.items():
        for name, values in statistics.items():
            mean, sd = reference[group]["mean"][name], reference[group]["sd"][name]
            error = np.sqrt(sd**2 / reference["m"] + values.var(ddof=1) / len(values))
            if abs(values.mean() - mean) > 4 * error:
                strange[group, name] = (values.mean(), mean, error)
    assert strange == {}


# --- coverage -------------------------------------------------------------------------------------

TRUTH = {"mean of y": 0.0, "slope of x": 0.7, "slope of z": 0.3}


def amputed(n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw y = .7 x + .3 z + e with 30 % of y and of z missing completely at random."""
    x, z, y = rng.standard_normal((3, n_rows))
    z = 0.5 * x + np.sqrt(0.75) * z
    frame = pd.DataFrame({"x": x, "z": z, "y": 0.7 * x + 0.3 * z + y})
    for name in ("y", "z"):
        frame.loc[rng.random(n_rows) < 0.3, name] = np.nan
    return frame


def estimates(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates and variances of `TRUTH` in one completed set."""
    n_rows, y = len(values), values[:, 2]
    design = np.column_stack([np.ones(n_rows), values[:, :2]])
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ (design.T @ y)
    sigma2 = ((y - design @ beta) ** 2).sum() / (n_rows - 3)
    q = np.array([y.mean(), beta[1], beta[2]])
    return q, np.array([y.var(ddof=1) / n_rows, *(sigma2 * np.diag(inverse)[1:])])


def covered(sets: tuple[np.ndarray, ...]) -> np.ndarray:
    """Say whether Rubin's 95 % intervals hold the truth (Barnard & Rubin 1999)."""
    q, u = (np.array(part) for part in zip(*map(estimates, sets), strict=True))
    m, complete = len(sets), len(sets[0]) - 3
    between = (1 + 1 / m) * q.var(axis=0, ddof=1)
    total = u.mean(axis=0) + between
    share = between / total
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    df = 1 / (share**2 / (m - 1) + 1 / observed)
    half = stats.t.ppf(0.975, df) * np.sqrt(total)
    return np.abs(q.mean(axis=0) - list(TRUTH.values())) <= half


def coverage(replicates: int, n_rows: int = 100, **settings: Any) -> np.ndarray:
    rng = np.random.default_rng(3)
    hits = [
        covered(mice(amputed(n_rows, rng), m=5, maxit=3, seed=seed, **settings).sets)
        for seed in range(replicates)
    ]
    return np.mean(hits, axis=0)


# A tree has no parameters to draw: it needs the bootstrap (proper=True), as theory says.
METHODS: dict[str, dict[str, Any]] = {
    "norm": {"method": "norm"},
    "pmm": {"method": "pmm"},
    "cart": {"method": "cart", "proper": True},
}


@pytest.mark.parametrize("name", METHODS)
def test_intervals_cover_as_they_promise(name: str) -> None:
    replicates = 120
    found = coverage(replicates, **METHODS[name])
    assert (np.abs(found - 0.95) < 3 * np.sqrt(0.95 * 0.05 / replicates)).all(), found


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_intervals_cover_as_they_promise_in_the_long_run(name: str) -> None:
    replicates = 2000
    found = coverage(replicates, n_rows=200, **METHODS[name])
    assert (np.abs(found - 0.95) < 3 * np.sqrt(0.95 * 0.05 / replicates)).all(), found


@pytest.mark.slow
def test_a_complete_case_correlation_is_recovered_in_the_long_run() -> None:
    for method in ("norm", "pmm", "cart"):
        found = synthetic_correlations(300, n_rows=2000, method=method)
        assert found.mean() == pytest.approx(0.8, abs=0.005 if method == "norm" else 0.01)
