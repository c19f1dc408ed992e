import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synth_tasks.data import infer_schema
from synth_tasks.engine.workers import one_native_thread
from synth_tasks.seeding import generator
from synth_tasks.utility.density_ratio import map_density_ratio, measure_density_ratio
from synth_tasks.utility.pair import TablePair


def population(n, rng):
    x = rng.standard_normal(n)
    return pd.DataFrame(
        {
            "x": x,
            "y": x + 0.5 * rng.standard_normal(n),
            "c": rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]),
        }
    )


def encode(real, synthetic):
    schema = infer_schema(pd.concat([real, synthetic], ignore_index=True))
    return TablePair.encode(real, synthetic, schema, 1)


def p_values(draw, repetitions):
    rng = generator(1, "level")
    values = []
    with one_native_thread():
        for _ in range(repetitions):
            real = population(120, rng)
            pair = encode(real, draw(real, rng))
            values.append(measure_density_ratio(pair, rng, permutations=39)[1].value)
    return np.array(values)


@pytest.mark.parametrize("repetitions", [80, pytest.param(1000, marks=pytest.mark.slow)])
def test_p_is_evenly_spread_for_two_samples_of_one_population(repetitions):
    values = p_values(lambda real, rng: population(120, rng), repetitions)
    assert stats.kstest(values - 1 / 80, "uniform").pvalue > 0.001
    assert abs(np.mean(values <= 0.1) - 0.1) < 4 * np.sqrt(0.09 / repetitions)


def test_p_is_large_for_rows_drawn_from_the_real_table():
    values = p_values(lambda real, rng: real.iloc[rng.integers(120, size=120)], 60)
    assert np.mean(values <= 0.1) < 0.1
    assert values.mean() > 0.55


def test_lost_relations_are_found():
    rng = generator(2, "density")
    real = population(300, rng)
    torn = pd.DataFrame({name: rng.permutation(real[name]) for name in real})
    divergence, p, *local = measure_density_ratio(encode(real, torn), rng)
    assert divergence.value > 10 * divergence.null
    assert p.value == 0.01
    assert {m.target for m in local} == {"x", "y", "c"}
    assert local[0].value > 3 * local[0].null


def test_the_map_shows_where_rows_are_missing_and_where_there_are_too_many():
    rng = generator(3, "density")
    real, synthetic = population(800, rng), population(800, rng)
    synthetic.loc[synthetic["c"] == "b", "c"] = "a"
    found = map_density_ratio(encode(real, synthetic), rng).set_index(["variable", "cell"])
    assert found.index[0] == ("c", "b")
    # r is 0 where there are no synthetic rows, and 2 * 0.8 / (0.8 + 0.5) for category a.
    assert found.loc[("c", "b"), "too_sparse"] == pytest.approx(1, abs=0.15)
    assert found.loc[("c", "b"), "too_dense"] < 0.05
    assert found.loc[("c", "a"), "too_dense"] == pytest.approx(0.23, abs=0.06)
    assert found.loc[("x", "group 1 of 5")].max() < 0.3


def test_the_map_names_no_number_of_the_data_and_no_small_cell():
    real = pd.DataFrame({"x": [*np.arange(40.0), np.nan], "c": ["a"] * 32 + ["rare"] * 9})
    found = map_density_ratio(encode(real, real[:30]), generator(4, "density"))
    assert set(found["variable"] + ": " + found["cell"]) == {
        *(f"x: group {i} of 5" for i in range(1, 6)),
        "c: a",
    }


def test_a_single_row_still_gives_figures():
    one = pd.DataFrame({"x": [1.0], "y": [2.0]})
    measured = measure_density_ratio(encode(one, one), generator(5, "density"))
    assert np.isfinite([m.value for m in measured]).all()
