import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from synth_tasks.disclosure.roc import CrossedScores, area_under_curve, true_positive_rate
from synth_tasks.seeding import generator

SCORES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans()), min_size=4, max_size=40
).filter(lambda rows: len({row[2] for row in rows}) == 2)


def crossed(rows):
    first, second, in_first = np.array(rows, float).T
    return CrossedScores(first, second, in_first.astype(bool))


def draw(rng, n, gain=0.0):
    """Records whose score is higher where they are members."""
    in_first = np.arange(n) % 2 == 0
    outlying = rng.normal(size=n)
    first, second = (
        outlying + rng.normal(size=n) + gain * members for members in (in_first, ~in_first)
    )
    return CrossedScores(first, second, in_first)


@given(SCORES)
def test_area_is_the_mean_of_both_curves(rows):
    scores = crossed(rows)
    area, (lower, upper) = area_under_curve(scores)
    expected = np.mean(
        [
            roc_auc_score(scores.in_first, scores.first),
            roc_auc_score(~scores.in_first, scores.second),
        ]
    )
    assert area == pytest.approx(expected)
    assert 0 <= lower <= area + 1e-12
    assert area - 1e-12 <= upper <= 1


@given(SCORES, st.sampled_from([0.01, 0.2, 0.5]))
def test_rate_is_read_off_both_curves(rows, allowed):
    scores = crossed(rows)
    rate, (lower, upper) = true_positive_rate(scores, generator(1), allowed, replicates=5)
    heights = []
    for values, members in scores.experiments:
        others, found, _ = roc_curve(members, values, drop_intermediate=False)
        heights.append(np.interp(allowed, others, found))
    assert rate == pytest.approx(np.mean(heights))
    assert 0 <= lower <= rate <= upper <= 1


def test_equal_scores_tell_nothing():
    scores = CrossedScores(np.zeros(50), np.zeros(50), np.arange(50) < 25)
    assert area_under_curve(scores) == (0.5, (0.5, 0.5))
    rate, (lower, upper) = true_positive_rate(scores, generator(1))
    assert rate == pytest.approx(0.01)
    assert lower <= 0.01 <= upper


def test_members_who_always_score_higher_are_all_found():
    in_first = np.arange(200) < 100
    scores = CrossedScores(in_first.astype(float), (~in_first).astype(float), in_first)
    assert area_under_curve(scores)[0] == 1
    rate, (lower, upper) = true_positive_rate(scores, generator(1))
    assert (rate, upper) == (1, 1)
    assert lower > 0.95


def test_interval_of_the_area_is_that_of_delong_for_one_experiment_taken_twice():
    # In the second experiment the roles change and so does the sign of the scores: the same placements.
    rng = np.random.default_rng(5)
    members = np.arange(120) < 50
    values = rng.normal(size=120) + members
    area, (lower, upper) = area_under_curve(CrossedScores(values, -values, members))
    above = (values[members][:, None] > values[~members]).astype(float)
    variance = above.mean(axis=1).var(ddof=1) / 50 + above.mean(axis=0).var(ddof=1) / 70
    assert area == pytest.approx(above.mean())
    assert upper - lower == pytest.approx(2 * 1.959963984540054 * math.sqrt(variance))


@pytest.mark.parametrize("gain", [0.0, 0.3])
def test_interval_of_the_area_covers_as_often_as_it_says(gain):
    rng = np.random.default_rng(6)
    # Difference of two normal scores with variance 2 each.
    truth = 0.5 * (1 + math.erf(gain / 2 / math.sqrt(2)))
    limits = np.array([area_under_curve(draw(rng, 300, gain))[1] for _ in range(600)])
    covered = np.mean((limits[:, 0] <= truth) & (truth <= limits[:, 1]))
    assert covered > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 600)
    assert covered < 0.995


@pytest.mark.parametrize(
    ("n", "replicates"), [(800, 150), pytest.param(6000, 1000, marks=pytest.mark.slow)]
)
def test_interval_of_the_rate_covers_chance(n, replicates):
    rng = np.random.default_rng(7)
    limits = np.array(
        [
            true_positive_rate(draw(rng, n), generator(r), replicates=100)[1]
            for r in range(replicates)
        ]
    )
    covered = np.mean((limits[:, 0] <= 0.01) & (limits[:, 1] >= 0.01))
    assert covered > 0.95 - 4 * math.sqrt(0.95 * 0.05 / replicates)
    assert np.mean(limits[:, 0] > 0.01) < 0.025 + 4 * math.sqrt(0.025 / replicates)


def test_the_same_generator_gives_the_same_interval():
    scores = draw(np.random.default_rng(8), 300)
    assert true_positive_rate(scores, generator(1)) == true_positive_rate(scores, generator(1))
