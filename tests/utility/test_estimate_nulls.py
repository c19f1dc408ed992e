"""Expected overlap and agreement: known values, and simulated syntheses of a normal sample."""

import numpy as np
import pytest

from synth_tasks.errors import PoolingError
from synth_tasks.inference import ModelFit, pool
from synth_tasks.seeding import generator
from synth_tasks.utility import Estimates, HowMade, expected_overlap
from synth_tasks.utility.coefficients import interval_overlaps
from synth_tasks.utility.estimate_nulls import expected_sign_agreement, expected_significance


@pytest.mark.parametrize(
    ("how", "known"),
    [
        (HowMade(), 0.797),
        (HowMade(proper=True), 0.712),
        (HowMade(m=5, rule="raab2016_proper", proper=True), 0.870),
        (HowMade(m=10, rule="raab2016_proper", proper=True), 0.908),
        (HowMade(m=20, rule="raab2016_proper", proper=True), 0.935),
    ],
)
def test_known_values(how, known):
    assert expected_overlap(how) == pytest.approx(known, abs=6e-4)


@pytest.mark.parametrize("m", [1, 5, 10])
def test_equal_widths_give_the_formula_of_raab_nowok_and_dibben(m):
    """1 - sqrt(2 / (m pi)) / (2 * 1.96), which takes both intervals as equally wide."""
    formula = 1 - np.sqrt(2 / (m * np.pi)) / (2 * 1.959964)
    assert expected_overlap(HowMade(), tau2=1 / m) == pytest.approx(formula, abs=1e-6)


def fit(estimate, variance, n):
    return ModelFit("mean", "x", ("x",), np.array([estimate]), np.array([[variance]]), np.inf, n)


def synthesise(how, n, rng, sets=4000):
    """Estimate the mean of a normal sample, and that of synthetic sets of k rows each."""
    k = int(n * how.size_ratio)
    real = 0.1 * rng.standard_normal()
    overlaps, significant = [], []
    for _ in range(sets):
        centres = np.full(how.m, real)
        if how.proper:
            centres = centres + rng.standard_normal(how.m) / np.sqrt(n)
        means = centres + rng.standard_normal(how.m) / np.sqrt(k)
        fits = [fit(mean, 1 / k, k) for mean in means]
        if how.rule is None:
            synthetic = Estimates.from_fit(fits[0])
        else:
            synthetic = Estimates.from_pooled(pool(fits, how.rule, n=n if k != n else None))
        original = Estimates.from_fit(fit(real, 1 / n, n))
        overlaps.append(interval_overlaps(original, synthetic)[0])
        significant.append(synthetic.significant()[0])
    return real * np.sqrt(n), np.array(overlaps), np.array(significant)


SYNTHESES = [
    HowMade(size_ratio=0.5),
    HowMade(m=5, rule="reiter2003"),
    HowMade(m=5, rule="reiter2003", proper=True),
    HowMade(m=3, rule="raab2016", size_ratio=2.0),
]


@pytest.mark.parametrize("how", SYNTHESES)
@pytest.mark.parametrize("sets", [400, pytest.param(20_000, marks=pytest.mark.slow)])
def test_simulated_syntheses_agree(how, sets):
    z, overlaps, significant = synthesise(how, 100, generator(1, "overlap", str(how)), sets)
    assert abs(overlaps.mean() - expected_overlap(how)) < 4 * overlaps.std() / np.sqrt(sets) + 1e-3
    expected = expected_significance(how, z, how.tau2, np.inf)
    error = np.sqrt(expected * (1 - expected) / sets)
    assert abs(significant.mean() - expected) < 4 * error + 0.003


def test_agreement_of_signs_is_certain_only_far_from_zero():
    z, tau2 = np.array([0.0, 1.0, 9.0, -9.0]), np.ones(4)
    np.testing.assert_allclose(expected_sign_agreement(z, tau2), [0.5, 0.8413447, 1, 1], atol=1e-7)


def test_partial_syntheses_are_judged_by_the_variance_between_sets():
    real = Estimates.from_arrays([1.0], [2.0])
    synthetic = Estimates.from_pooled(pool([fit(0.0, 4.0, 100), fit(2.0, 4.0, 100)]))
    how = HowMade(m=2, rule="reiter2003", complete=False)
    np.testing.assert_allclose(how.tau2_by_term(real, synthetic), 2.0 / (2 * 4.0))
    with pytest.raises(PoolingError, match="pool two sets or more"):
        how.tau2_by_term(real, real)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"m": 0}, "m must be 1 or more"),
        ({"size_ratio": 0.0}, "size_ratio"),
        ({"m": 2}, "need a pooling rule"),
        ({"m": 2, "rule": "mean"}, "unknown pooling rule 'mean'"),
        ({"m": 1, "rule": "reiter2003"}, "needs 2 sets or more"),
        ({"m": 4, "rule": "reiter2004"}, "nested sets"),
    ],
)
def test_what_has_no_null_is_refused(settings, message):
    with pytest.raises(PoolingError, match=message):
        HowMade(**settings)
