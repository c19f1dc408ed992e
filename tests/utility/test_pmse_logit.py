"""The null distribution of Snoke et al. (2018) by simulation, and what tables of known quality give."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from synth_tasks.data import infer_schema
from synth_tasks.seeding import generator
from synth_tasks.utility.features import pool_rows
from synth_tasks.utility.interactions import build_design
from synth_tasks.utility.pair import TablePair
from synth_tasks.utility.pmse_logit import measure_pmse_logit
from synth_tasks.utility.sampling import sample_rows

ORACLE = Path(__file__).parent / "data" / "pmse_boys.csv"
COVARIANCE = np.array([[1.0, 0.7, 0.2], [0.7, 1.0, 0.4], [0.2, 0.4, 1.0]])


def population(n, rng):
    frame = pd.DataFrame(rng.multivariate_normal(np.zeros(3), COVARIANCE, n), columns=list("xyz"))
    return frame.assign(c=pd.cut(frame["z"] + rng.standard_normal(n), [-9, -1, 1, 9], labels=False))


def measure(real, synthetic, max_rows=10**6, rng=None):
    schema = infer_schema(pd.concat([real, synthetic], ignore_index=True))
    pair = TablePair.encode(real, synthetic, schema, 3)
    return {m.metric: m for m in measure_pmse_logit(sample_rows(pair, max_rows, rng))}


def test_equals_the_definition_by_statsmodels():
    rng = generator(1, "snoke")
    real, synthetic = population(300, rng), population(150, rng)
    measured = measure(real, synthetic)
    schema = infer_schema(pd.concat([real, synthetic], ignore_index=True))
    rows = pool_rows(TablePair.encode(real, synthetic, schema))
    design = build_design(rows, 45)
    scores = sm.Logit(rows.is_synthetic.astype(float), design).fit(disp=0, tol=1e-12).predict()
    c, n, k = 1 / 3, 450, design.shape[1]
    pmse = np.mean((scores - c) ** 2)
    expectation = (k - 1) * (1 - c) ** 2 * c / n
    deviation = np.sqrt(2 * (k - 1)) * (1 - c) ** 2 * c / n
    assert measured["pmse_logit"].value == pytest.approx(pmse / expectation, rel=1e-4)
    assert measured["pmse_logit_z"].value == pytest.approx(
        (pmse - expectation) / deviation, rel=1e-3
    )
    assert measured["pmse_logit"].n == 450
    assert measured["pmse_logit"].set_number == 3


def test_equals_the_computation_in_r(boys):
    """See data/make_pmse_boys.R."""
    expected = pd.read_csv(ORACLE).set_index("metric")["value"].to_dict()
    whole = boys[["age", "hgt", "wgt", "hc", "reg"]].dropna()
    is_synthetic = np.arange(1, len(whole) + 1) % 3 == 0
    measured = measure(whole[~is_synthetic], whole[is_synthetic])
    values = {name: m.value for name, m in measured.items()}
    # Scores are fitted to about five digits, so a few of them may change places.
    assert values == pytest.approx(expected, rel=1e-3)


def simulate(draw, repetitions, **limits):
    rng = generator(2, "null")
    values = []
    for _ in range(repetitions):
        real = population(400, rng)
        found = measure(real, draw(real, rng), rng=rng, **limits)
        values.append([found[m].value for m in ("pmse_logit", "pmse_logit_z", "specks_logit")])
    return np.array(values), found["specks_logit"].null


def plug_in(real, rng):
    return real.iloc[rng.integers(len(real), size=len(real))].reset_index(drop=True)


def test_null_of_a_plug_in_synthesis():
    values, null = simulate(plug_in, 150)
    means, errors = values.mean(axis=0), values.std(axis=0) / np.sqrt(len(values))
    # Logistic regressions of 14 parameters on 800 rows are a few per cent above the limit.
    assert abs(means[0] - 1) < 4 * errors[0] + 0.05
    assert abs(values[:, 1].std() - 1) < 0.3
    # Taking scores as normal is right to about a fifth.
    assert abs(means[2] / null - 1) < 0.25


def test_null_of_another_real_sample_is_two():
    values, _ = simulate(lambda real, rng: population(len(real), rng), 100)
    assert abs(values[:, 0].mean() - 2) < 4 * values[:, 0].std() / 10 + 0.1


def test_a_sample_of_rows_has_the_same_null():
    values, _ = simulate(plug_in, 100, max_rows=500)
    assert abs(values[:, 0].mean() - 1) < 4 * values[:, 0].std() / 10 + 0.05


def test_independent_margins_are_seen_and_copies_too():
    rng = generator(3, "quality")
    real = population(500, rng)
    torn = pd.DataFrame({name: rng.permutation(real[name]) for name in real})
    assert measure(real, torn)["pmse_logit"].lower > 10
    copied = measure(real, real)
    assert copied["pmse_logit"].upper < 1
    assert copied["pmse_logit_z"].value < -2


def test_constants_say_nothing():
    constant = pd.DataFrame({"x": [1.0, 1.0], "y": [0.0, 0.0]})
    measured = measure(constant, constant)
    assert {name: m.value for name, m in measured.items()} == {
        "pmse_logit": 1.0,
        "pmse_logit_z": 0.0,
        "specks_logit": 0.0,
    }
