import numpy as np
import pytest

from synth_tasks.disclosure.closeness import measure_closeness
from synth_tasks.disclosure.neighbours import find_neighbours
from synth_tasks.utility.intervals import median_interval


def test_by_hand():
    real = np.array([[0.0, 0.5, 1.0], [0.0, 0.5, 0.0]])
    # Distances: to the first row 0 and 1, 1; half way 0.5, 0.5, 1; near the second 0.9, 0.1, 0.9.
    synthetic = np.array([[0.0, 0.25, 0.5], [0.0, 0.25, 0.4]])
    closest, ratio = measure_closeness(find_neighbours(synthetic, real), 2, 3)
    assert (closest.metric, ratio.metric) == ("closest_record", "nearest_ratio")
    assert closest.value == pytest.approx(np.median([0, 0.5, 0.1]) / 2)
    # The copy: 0/1; half way: equal distances; near the second: 0.1/0.9.
    assert ratio.value == pytest.approx(0.1 / 0.9)
    assert (closest.lower, closest.upper) == pytest.approx(
        median_interval(np.array([0, 0.25, 0.05]))
    )
    assert (closest.n, closest.set_number) == (3, 3)


def test_copies_among_equal_rows_have_ratio_one():
    same = np.zeros((2, 4))
    assert [m.value for m in measure_closeness(find_neighbours(same, same), 2)] == [0, 1]


def test_a_single_real_row_has_no_second():
    measured = measure_closeness(find_neighbours(np.ones((1, 2)), np.zeros((1, 1))), 1)
    assert [m.metric for m in measured] == ["closest_record"]
    assert measured[0].value == 1
