import numpy as np
import pytest

from synth_tasks.utility import Estimates, HowMade, expected_overlap
from synth_tasks.utility.coefficients import interval_overlaps, measure_coefficients


def estimates(values, errors):
    return Estimates.from_arrays(values, errors, terms=[f"t{i}" for i in range(len(values))])


def test_overlap_by_hand():
    z = 1.959963985
    real = estimates([0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    other = estimates([0.0, z, 4 * z], [1.0, 0.5, 1.0])
    # [-z, z] and [z / 2, 3 z / 2] share z / 2, a quarter and a half of them; the last are 2 z apart.
    np.testing.assert_allclose(interval_overlaps(real, other), [1.0, 0.375, -1.0], atol=1e-8)


def test_figures_by_hand():
    real, synthetic = (
        estimates([3.0, 0.5, -1.0], [1.0] * 3),
        estimates([2.5, -0.5, -4.0], [1.0] * 3),
    )
    measured = measure_coefficients(real, synthetic, HowMade(), label="mean", set_number=2)
    found = {(m.metric, m.target): m for m in measured}
    assert found["standardised_difference", "mean: t0"].value == -0.5
    assert found["standardised_difference", "mean: t2"].value == -3
    assert found["standardised_difference_mean", "mean"].value == pytest.approx(4.5 / 3)
    assert found["standardised_difference_mean", "mean"].null == pytest.approx(np.sqrt(2 / np.pi))
    assert found["sign_agreement", "mean"].value == pytest.approx(2 / 3)
    assert found["significance_agreement", "mean"].value == pytest.approx(2 / 3)
    overlap = found["interval_overlap_min", "mean"]
    assert overlap.value == found["interval_overlap", "mean: t2"].value < 0.25
    assert overlap.null == pytest.approx(expected_overlap(HowMade()))
    assert {m.set_number for m in measured} == {2}
    assert {m.n for m in measured} == {3}


def test_equal_estimates_agree_in_everything():
    real = estimates([3.0, 0.5], [1.0, 2.0])
    found = {m.metric: m.value for m in measure_coefficients(real, real, HowMade(), label="a")}
    assert found["interval_overlap_mean"] == pytest.approx(1)
    assert found["interval_overlap_min"] == pytest.approx(1)
    assert found["sign_agreement"] == found["significance_agreement"] == 1
    assert found["standardised_difference_mean"] == 0


def test_estimates_near_zero_are_not_expected_to_agree():
    real = estimates([0.0, 9.0], [1.0, 1.0])
    found = {m.metric: m.null for m in measure_coefficients(real, real, HowMade(), label="a")}
    assert found["sign_agreement"] == pytest.approx(0.75)
    # Of a plug-in estimate around 0, 5 % are significant.
    assert found["significance_agreement"] == pytest.approx(0.975)
