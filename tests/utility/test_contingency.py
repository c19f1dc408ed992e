import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from synth_tasks.seeding import generator
from synth_tasks.utility.contingency import (
    SUMMARIES,
    freeman_tukey,
    jensen_shannon,
    measure_contingency,
)
from synth_tasks.utility.grouping import group_pair

COUNTS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12)


@given(COUNTS)
def test_divergence_equals_that_of_scipy(counts):
    real, synthetic = map(np.array, zip(*counts, strict=True))
    if real.sum() and synthetic.sum():
        expected = jensenshannon(real, synthetic, base=2) ** 2
        assert jensen_shannon(real, synthetic) == pytest.approx(expected, abs=1e-9)


def test_freeman_tukey_by_hand():
    # Expected 20 and 5 of 25 rows; 4 ((4 - sqrt(20))² + (3 - sqrt(5))²), one degree of freedom.
    value = freeman_tukey(np.array([80, 20]), np.array([16, 9]))
    assert value == pytest.approx(4 * ((4 - 20**0.5) ** 2 + (3 - 5**0.5) ** 2))
    assert freeman_tukey(np.array([0, 3]), np.array([0, 9])) == 1


def test_nulls_of_a_plug_in_synthesis():
    rng = generator(1, "contingency")
    real = rng.multinomial(1000, [0.4, 0.3, 0.2, 0.1])
    draws = rng.multinomial(1000, real / 1000, size=1000)
    values = np.array([[freeman_tukey(real, d), jensen_shannon(real, d)] for d in draws])
    errors = values.std(axis=0) / np.sqrt(1000)
    assert np.all(np.abs(values.mean(axis=0) - [1, 3 / (8000 * np.log(2))]) < 4 * errors)


def test_pairs_are_summarised_with_the_null_of_the_pair(boys, pair_up):
    columns = {name: boys[name].to_numpy() for name in ("age", "hgt", "wgt", "tv")}
    torn = columns | {"wgt": columns["wgt"][::-1]}
    measured = measure_contingency(group_pair(pair_up(columns, torn)))
    found = {m.metric: m for m in measured}
    assert set(found) == {m.name for summary in SUMMARIES for m in summary}
    assert found["freeman_tukey_pair_max"].value > 10
    assert found["freeman_tukey_pair_median"].null == 1
    largest = found["total_variation_pair_max"]
    assert largest.value > 5 * largest.null > 0
    assert largest.n == 6


def test_a_single_variable_has_no_pair(pair_up):
    measured = measure_contingency(group_pair(pair_up({"x": [1.0, 2.0]}, {"x": [2.0, 2.0]})))
    assert [(m.value, m.n) for m in measured] == [(1, 0), (1, 0), (0, 0), (0, 0), (0, 0), (0, 0)]
