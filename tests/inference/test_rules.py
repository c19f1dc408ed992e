"""Rules that R does not have, by their closed forms and their level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from synth_tasks.errors import PoolingError
from synth_tasks.inference import pool
from synth_tasks.inference.rules import RULES, Components

Q, U = [1.0, 1.2, 0.9, 1.3], [0.01, 0.011, 0.009, 0.01]
UBAR, B = np.mean(U), np.var(Q, ddof=1)


def row(make_fit, rule, n=None, q=Q, u=U):
    return pool([make_fit([a], [b]) for a, b in zip(q, u, strict=True)], rule, n=n).table.iloc[0]


def test_raghunathan_reiter_and_rubin(make_fit):
    found = row(make_fit, "rrr2003")
    assert found["t"] == pytest.approx(1.25 * B - UBAR)
    assert found["df"] == pytest.approx(3 * (1 - UBAR / (1.25 * B)) ** 2)


def test_a_negative_variance_is_replaced(make_fit):
    assert row(make_fit, "rrr2003", u=[1.0] * 4)["t"] == pytest.approx(1.0)
    # Sets of 100 rows from a sample of 50: twice as much.
    assert row(make_fit, "rrr2003", u=[1.0] * 4, n=50)["t"] == pytest.approx(2.0)


@pytest.mark.parametrize(("rule", "drawn"), [("raab2016", 0), ("raab2016_proper", 1)])
@pytest.mark.parametrize("n", [50, 100, 400])
def test_raab_nowok_and_dibben(make_fit, rule, drawn, n):
    """v (k/n + 1/m), and v (k/n + (1 + k/n)/m), with v from sets of k = 100 rows."""
    ratio = 100 / n
    expected = UBAR * (ratio + (1 + drawn * ratio) / 4)
    found = row(make_fit, rule, n=n)
    assert found["t"] == pytest.approx(expected)
    assert found["df"] == np.inf


def test_one_set_is_enough_for_raab(make_fit):
    assert row(make_fit, "raab2016", q=Q[:1], u=U[:1])["t"] == pytest.approx(2 * U[0])
    assert row(make_fit, "raab2016_proper", q=Q[:1], u=U[:1])["t"] == pytest.approx(3 * U[0])
    for rule in set(RULES) - {"raab2016", "raab2016_proper", "reiter2004"}:
        with pytest.raises(PoolingError, match=f"{rule} needs the fits of at least 2 data sets"):
            row(make_fit, rule, q=Q[:1], u=U[:1])


def test_a_population_has_no_variance_within_sets(make_fit):
    imputed, synthetic = (
        row(make_fit, f"population_{stage}") for stage in ("imputed", "synthetic")
    )
    assert (imputed["t"], imputed["df"]) == (pytest.approx(1.25 * B), 3)
    assert (synthetic["t"], synthetic["df"]) == (pytest.approx(B / 4), 3)


def level(rule: str, b: np.ndarray, means: np.ndarray, m: int) -> float:
    ones = np.ones_like(b)
    reference = RULES[rule].pool(Components(ubar=ones, b=b, m=m, df_complete=np.inf))
    return float(np.mean(2 * stats.t.sf(np.abs(means) / np.sqrt(reference.t), reference.df) < 0.05))


@pytest.mark.parametrize(
    ("rule", "m", "expected"),
    [
        ("rrr2003", 5, 0.0),
        ("rrr2003", 10, 0.005),
        ("rrr2003", 50, 0.037),
        ("raab2016", 1, 0.05),
        ("raab2016", 5, 0.05),
        ("raab2016_proper", 5, 0.05),
        ("population_synthetic", 5, 0.05),
    ],
)
def test_the_level_of_a_test_of_one_term(rule, m, expected):
    """The estimates of 20,000 replicates where the hypothesis holds and n = k."""
    rng = np.random.default_rng(m)
    n_replicates = 20_000
    sample = 0.0 if rule.startswith("population") else rng.standard_normal(n_replicates)
    sets = sample + rng.standard_normal((m, n_replicates))
    if rule in ("rrr2003", "raab2016_proper"):  # parameters are drawn too
        sets += rng.standard_normal((m, n_replicates))
    b = sets.var(axis=0, ddof=1) if m > 1 else np.zeros(n_replicates)
    assert level(rule, b, sets.mean(axis=0), m) == pytest.approx(expected, abs=0.008)
