import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.metrics import roc_auc_score

from synth_tasks.seeding import generator
from synth_tasks.utility.propensity import area_under_curve, kolmogorov_smirnov, pmse, specks

VALUES = arrays(float, st.integers(1, 30), elements=st.integers(-3, 3).map(float))


def test_pmse_by_hand():
    assert pmse(np.array([0.2, 0.4, 0.6]), 0.4) == pytest.approx(0.08 / 3)


@given(VALUES, VALUES)
def test_distance_of_distributions_equals_its_definition(first, second):
    expected = max(abs((first <= v).mean() - (second <= v).mean()) for v in (*first, *second))
    assert kolmogorov_smirnov(first, second) == pytest.approx(expected)


@given(VALUES, VALUES)
def test_area_equals_that_of_scikit_learn_and_lies_in_its_interval(real, synthetic):
    scores = np.concatenate([real, synthetic])
    labels = np.arange(len(scores)) >= len(real)
    auc, (lower, upper) = area_under_curve(scores, labels)
    assert auc == pytest.approx(roc_auc_score(labels, scores))
    assert 0 <= lower <= auc <= upper <= 1
    assert specks(scores, labels) == kolmogorov_smirnov(real, synthetic)


def test_interval_of_the_area_covers():
    rng = generator(1, "auc")
    true = stats.norm.cdf(1 / np.sqrt(2))
    covered = []
    for _ in range(400):
        scores = np.append(rng.standard_normal(80), 1 + rng.standard_normal(60))
        lower, upper = area_under_curve(scores, np.arange(140) >= 80)[1]
        covered.append(lower <= true <= upper)
    assert np.mean(covered) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 400)
