import numpy as np
import statsmodels.api as sm

from synth_tasks.seeding import generator
from synth_tasks.utility.logistic import fit_propensities


def make(n=300, p=6):
    rng = generator(1, "logistic")
    x = np.column_stack([np.ones(n), rng.standard_normal((n, p)) * 10.0 ** np.arange(p)])
    eta = x[:, 1] - 0.5 * x[:, 2] / 10 - 0.7
    return x, rng.random(n) < 1 / (1 + np.exp(-eta))


def test_scores_equal_those_of_statsmodels():
    x, y = make()
    scale = 10.0 ** np.append(0, np.arange(6))
    expected = sm.Logit(y.astype(float), x / scale).fit(disp=0, tol=1e-12).predict()
    fitted = fit_propensities(x, y)
    np.testing.assert_allclose(fitted.scores, expected, atol=2e-5)
    assert fitted.n_parameters == 7


def test_dependent_and_constant_columns_count_for_nothing():
    x, y = make()
    more = np.column_stack([x, x[:, 1] - 2 * x[:, 2], np.full(len(x), 3.0), np.zeros(len(x))])
    fitted = fit_propensities(more, y)
    assert fitted.n_parameters == 7
    np.testing.assert_allclose(fitted.scores, fit_propensities(x, y).scores, atol=1e-4)


def test_perfect_separation_ends_in_scores_of_0_and_1():
    y = np.arange(40) >= 15
    scores = fit_propensities(np.column_stack([np.ones(40), np.arange(40.0) - 20]), y).scores
    assert np.abs(scores - y).max() < 0.05


def test_an_intercept_alone_gives_the_share():
    y = np.arange(10) >= 7
    fitted = fit_propensities(np.ones((10, 1)), y)
    np.testing.assert_allclose(fitted.scores, 0.3, atol=1e-6)
    assert fitted.n_parameters == 1
