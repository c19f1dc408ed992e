import numpy as np
import pytest

from synth_tasks.seeding import generator
from synth_tasks.utility.classifier import measure_classifier
from synth_tasks.utility.sampling import sample_rows


def measure(pair):
    (measured,) = measure_classifier(sample_rows(pair, 10**6, None), generator(1, "folds"))
    return measured


def test_two_samples_from_one_population_cannot_be_told_apart(pair_up):
    rng = generator(1, "classifier")
    columns = [{"x": rng.standard_normal(800), "y": rng.standard_normal(800)} for _ in range(2)]
    measured = measure(pair_up(*columns))
    assert measured.lower - 0.02 < 0.5 < measured.upper + 0.02
    assert measured.n == 1600


def test_an_exclusive_or_is_found(pair_up):
    rng = generator(2, "classifier")
    x, y, noise = rng.integers(0, 2, (3, 500)).astype(float)
    measured = measure(pair_up({"x": x, "y": y}, {"x": x, "y": (x + (noise * x < 1)) % 2}))
    assert measured.lower > 0.6


def test_a_copy_is_far_below_one_half(pair_up):
    x = generator(3, "classifier").standard_normal((2, 400))
    columns = {"x": x[0], "y": x[1]}
    assert measure(pair_up(columns, columns)).upper < 0.2


@pytest.mark.parametrize("k", [1, 2])
def test_hardly_any_row_still_gives_a_figure(pair_up, k):
    measured = measure(pair_up({"x": [1.0, 2.0, 3.0]}, {"x": [1.0, 2.0][:k]}))
    assert 0 <= measured.lower <= measured.value <= measured.upper <= 1


def test_more_categories_than_bins_are_no_obstacle(pair_up):
    labels = [f"l{i:03d}" for i in range(300)] * 3
    measured = measure(pair_up({"c": labels}, {"c": labels[::-1]}))
    assert np.isfinite(measured.value)
