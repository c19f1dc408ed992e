import numpy as np
import pytest

from synth_tasks.utility.quantiles import measure_quantiles, quantile_differences


def test_a_shift_is_told_in_standard_deviations(pair_up):
    x = np.arange(101.0)
    measured = measure_quantiles(
        pair_up({"x": x, "c": ["a"] * 101}, {"x": x - 29.154759, "c": ["a"] * 101})
    )
    assert [(m.metric, m.target, m.n) for m in measured] == [
        ("quantile_difference", "x", 101),
        ("quantile_difference_max", "", 1),
    ]
    assert [m.value for m in measured] == pytest.approx([-1, 1])


def test_quantiles_are_those_of_r():
    # quantile(c(1, 2, 4, 8, 16), c(.05, .1, .25, .5, .75, .9, .95)) in R 4.2.2
    expected = np.array([1.2, 1.4, 2.0, 4.0, 8.0, 12.8, 14.4])
    real = np.array([-1.0, 1.0])
    shift = np.quantile(real, (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95))
    np.testing.assert_allclose(
        quantile_differences(real, np.array([1.0, 2, 4, 8, 16])), expected - shift
    )


def test_constants_differ_by_one_or_not_at_all():
    assert quantile_differences(np.ones(3), np.ones(2)).tolist() == [0] * 7
    assert quantile_differences(np.ones(3), np.full(2, -5.0)).tolist() == [-1] * 7


def test_without_numbers_nothing_is_lost(pair_up):
    measured = measure_quantiles(pair_up({"c": list("abc")}, {"c": list("cab")}))
    assert [(m.metric, m.value, m.n) for m in measured] == [("quantile_difference_max", 0.0, 0)]
