import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.seeding import generator
from synth_tasks.utility.pair import TablePair
from synth_tasks.utility.pmse_cart import measure_pmse_cart
from synth_tasks.utility.sampling import sample_rows


def measure(real, synthetic, seed=1):
    schema = infer_schema(pd.concat([real, synthetic], ignore_index=True))
    sampled = sample_rows(TablePair.encode(real, synthetic, schema, 2), 10**6, None)
    return {m.metric: m for m in measure_pmse_cart(sampled, generator(seed, "cart"))}


def population(n, rng):
    x = rng.standard_normal(n)
    return pd.DataFrame({"x": x, "y": x + rng.standard_normal(n), "z": rng.standard_normal(n)})


def test_one_split_by_hand():
    """Labels follow x; no permutation of 10 + 10 rows does, and all trees have two leaves or more."""
    real, synthetic = pd.DataFrame({"x": np.zeros(10)}), pd.DataFrame({"x": np.ones(10)})
    measured = measure(real, synthetic)
    # pMSE = 1/4. A random split leaves a share p in the leaf, with variance 1/4 * 10/10 / 19.
    expected = 0.25 / (0.25 / 19 / 2)
    assert measured["specks_cart"].value == 1
    assert measured["pmse_cart"].value == pytest.approx(expected, rel=0.5)
    assert measured["pmse_cart"].lower < measured["pmse_cart"].value < measured["pmse_cart"].upper


@pytest.mark.parametrize(
    ("k", "plug_in", "null"), [(400, True, 1), (200, True, 1), (400, False, 2)]
)
def test_null_values(k, plug_in, null):
    rng = generator(2, "null", k, plug_in)
    values = []
    for i in range(60):
        real = population(400, rng)
        rows = rng.integers(400, size=k)
        synthetic = real.iloc[rows].reset_index(drop=True) if plug_in else population(k, rng)
        values.append(measure(real, synthetic, i)["pmse_cart"].value)
    assert abs(np.mean(values) / null - 1) < 4 * np.std(values) / np.sqrt(60) / null + 0.1


def test_relations_of_any_form_are_seen():
    rng = generator(3, "circle")
    angle = rng.random(600) * 2 * np.pi
    circle = pd.DataFrame({"x": np.cos(angle), "y": np.sin(angle)})
    torn = pd.DataFrame({name: rng.choice(circle[name], 600) for name in circle})
    assert measure(circle, torn)["pmse_cart"].lower > 5
    assert measure(circle, circle)["pmse_cart"].upper < 0.2


def test_a_relation_between_margins_that_agree_exactly_is_not_seen():
    """No first split tells the tables apart, as in every greedy tree; the manual says so."""
    x = np.repeat([0.0, 1.0], 100)
    y = np.tile([0.0, 1.0], 100)
    assert measure(pd.DataFrame({"x": x, "y": x}), pd.DataFrame({"x": x, "y": y}))[
        "pmse_cart"
    ].value == pytest.approx(0)


def test_constants_cannot_be_told_apart():
    constant = pd.DataFrame({"x": np.zeros(30)})
    measured = measure(constant, constant)
    assert measured["pmse_cart"].value == 1
    assert measured["specks_cart"].value == measured["specks_cart"].null == 0


def test_the_same_generator_gives_the_same_figures(boys):
    first, second = (measure(boys, boys.sample(frac=0.5, random_state=1)) for _ in range(2))
    assert {k: m.value for k, m in first.items()} == {k: m.value for k, m in second.items()}
