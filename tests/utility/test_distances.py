import numpy as np
import pytest
from scipy import stats

from synth_tasks.seeding import generator
from synth_tasks.utility.distances import (
    MEAN_SUPREMUM,
    expected_variation,
    measure_distances,
    total_variation,
)
from synth_tasks.utility.grouping import group_pair

NAN = float("nan")


def test_by_hand(pair_up):
    pair = pair_up(
        {"x": [1.0, 2.0, NAN, NAN], "c": ["a", "b", "c", "c"]},
        {"x": [2.0, 2.0], "c": ["a", "a"]},
    )
    measured = {(m.metric, m.target): m for m in measure_distances(pair, group_pair(pair))}
    assert {key: m.value for key, m in measured.items()} == {
        ("total_variation", "x"): 0.75,
        ("total_variation", "c"): 0.75,
        ("kolmogorov_smirnov", "x"): 0.5,
    }
    assert measured["kolmogorov_smirnov", "x"].n == 2


def test_expected_variation_equals_the_sum_over_all_samples():
    counts, k = np.array([3, 5, 2]), 6
    p = counts / 10
    expected = sum(
        stats.multinomial.pmf([i, j, k - i - j], k, p)
        * total_variation(counts, np.array([i, j, k - i - j]))
        for i in range(k + 1)
        for j in range(k + 1 - i)
    )
    assert expected_variation(counts, k) == pytest.approx(expected)


def test_a_single_cell_is_always_kept():
    assert expected_variation(np.array([0, 7]), 5) == 0
    assert total_variation(np.array([0, 7]), np.array([0, 5])) == 0


def test_expected_distance_of_distribution_functions():
    rng = generator(1, "kolmogorov")
    real = np.arange(1000.0)
    draws = np.sort(rng.choice(real, (500, 400)), axis=1)
    values = [stats.ks_2samp(draw, real, method="asymp").statistic for draw in draws]
    # For a finite k the mean lies below its limit by about 1 / (6 sqrt(k)) of itself.
    assert np.mean(values) * np.sqrt(400) == pytest.approx(MEAN_SUPREMUM, rel=0.05)


def test_a_variable_observed_in_one_table_only_has_no_distribution_function(pair_up):
    pair = pair_up({"x": [1.0, 2.0]}, {"x": [NAN, NAN]})
    measured = measure_distances(pair, group_pair(pair))
    assert [(m.metric, m.value) for m in measured] == [("total_variation", 1.0)]
