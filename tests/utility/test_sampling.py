from dataclasses import replace

import numpy as np
import pytest

from synth_tasks.seeding import generator
from synth_tasks.utility.sampling import sample_rows


def test_small_tables_are_taken_whole_without_random_numbers(pair_up):
    pair = pair_up({"x": [1.0, 2.0, 3.0]}, {"x": [1.0, 2.0]})
    sampled = sample_rows(pair, 5, None)
    assert sampled.pair is pair
    assert sampled.real_share == 1
    assert sampled.plug_in_variance == 1 / 2
    assert sampled.two_sample_variance == pytest.approx(1 / 2 + 1 / 3)


def test_each_table_gives_half_of_the_rows_but_no_more_than_it_has(pair_up):
    pair = pair_up({"x": np.arange(100.0)}, {"x": np.arange(7.0)})
    sampled = sample_rows(pair, 40, generator(1, "rows"))
    assert len(sampled.pair.real) == len(np.unique(sampled.pair.real)) == 20
    assert len(sampled.pair.synthetic) == 7
    assert sampled.real_share == 0.2


def test_variance_of_a_difference_of_means_is_that_of_a_plug_in_synthesis(pair_up):
    rng = generator(2, "rows")
    real = rng.standard_normal(200)
    differences = []
    for _ in range(1000):
        pair = pair_up({"x": real}, {"x": rng.choice(real, 200)})
        sampled = sample_rows(pair, 200, rng)
        differences.append(sampled.pair.synthetic.mean() - sampled.pair.real.mean())
    variance = sampled.plug_in_variance * real.var()
    # The variance of a sample variance of normal values is 2 sigma⁴ / n.
    assert abs(np.var(differences) / variance - 1) < 4 * np.sqrt(2 / 1000)


def test_a_sample_of_a_sample_is_a_smaller_share_of_the_real_rows(pair_up):
    pair = replace(pair_up({"x": np.arange(100.0)}, {"x": np.arange(50.0)}), real_share=0.5)
    assert pair.inflation == 1 + 0.5 * 50 / 100
    assert sample_rows(pair, 200, None).real_share == 0.5
    sampled = sample_rows(pair, 40, generator(1, "rows"))
    assert sampled.real_share == sampled.pair.real_share == 0.1
    assert sampled.plug_in_variance == pytest.approx(sampled.pair.inflation / 20)
