"""The proportional-odds model agrees with MASS::polr and statsmodels and says when there is no fit."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.errors import ModelError
from synth_tasks.inference.ordinal import fit_ordered_logit


def simulate(n=400, p=3, n_levels=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * [1, 10, 0.1][:p] + [0, 100, -3][:p]
    score = (x - x.mean(axis=0)) / x.std(axis=0) @ np.array([1.0, -0.5, 0.3])[:p]
    latent = score + rng.logistic(size=n)
    y = np.digitize(latent, np.quantile(latent, np.arange(1, n_levels) / n_levels))
    return y, x


def boys_arrays(boys):
    regions = np.eye(5)[boys["reg"].cat.codes][:, 1:]
    return boys["gen"].cat.codes.to_numpy(), np.column_stack([boys[["age", "hc"]], regions])


class TestAgreement:
    def test_polr_on_the_completed_boys(self, boys, r_models):
        expected = r_models["ordered_logit"][0]
        y, x = boys_arrays(boys)
        fit = fit_ordered_logit(y, x, 5)
        estimates = np.concatenate([fit.coefficients, fit.thresholds])
        np.testing.assert_allclose(estimates, expected["estimates"], rtol=1e-5)
        std_errors = np.sqrt(np.diag(fit.covariance))
        np.testing.assert_allclose(std_errors, expected["std_errors"], rtol=1e-5)
        assert fit.log_likelihood == pytest.approx(expected["log_likelihood"], rel=1e-12)
        assert fit.converged

    def test_polr_with_fractional_weights(self, boys, r_models):
        expected = r_models["weighted"]
        weights = 0.25 + (np.arange(1, 749) % 4) / 2
        y = boys["gen"].cat.codes.to_numpy()
        fit = fit_ordered_logit(y, boys[["age", "hc"]].to_numpy(), 5, weights)
        estimates = np.concatenate([fit.coefficients, fit.thresholds])
        np.testing.assert_allclose(estimates, expected["estimates"], rtol=1e-5)
        std_errors = np.sqrt(np.diag(fit.covariance))
        np.testing.assert_allclose(std_errors, expected["std_errors"], rtol=1e-5)

    @pytest.mark.parametrize("n_levels", [2, 3, 6])
    def test_statsmodels_on_simulated_data(self, n_levels):
        from statsmodels.miscmodels.ordinal_model import OrderedModel

        y, x = simulate(n_levels=n_levels)
        fit = fit_ordered_logit(y, x, n_levels)
        standardised = (x - x.mean(axis=0)) / x.std(axis=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = OrderedModel(y, standardised, distr="logit")
            expected = model.fit(method="bfgs", disp=0, gtol=1e-8, maxiter=500)
        np.testing.assert_allclose(
            fit.coefficients * x.std(axis=0), expected.params[: x.shape[1]], atol=1e-5
        )
        assert fit.log_likelihood == pytest.approx(expected.llf, rel=1e-10)

    def test_covariance_is_the_inverse_of_the_numerical_information(self):
        y, x = simulate(n=150, p=2, n_levels=3)
        fit = fit_ordered_logit(y, x, 3)
        theta = np.concatenate([fit.coefficients, fit.thresholds])
        step = 0.01 * np.sqrt(np.diag(fit.covariance))

        def value(change):
            zeta = (theta + change)[2:]
            below = 1 / (1 + np.exp((x @ (theta + change)[:2])[:, None] - zeta))
            p = np.diff(below, axis=1, prepend=0, append=1)
            return np.log(p[np.arange(len(y)), y]).sum()

        steps = np.diag(step)
        hessian = np.array(
            [
                [
                    value(a + b) - value(a - b) - value(b - a) + value(-a - b)
                    for a in steps
                ]
                for b in steps
            ]
        ) / (4 * np.outer(step, step))  # fmt: skip
        np.testing.assert_allclose(np.linalg.inv(-hessian), fit.covariance, rtol=1e-3)


class TestProperties:
    def test_two_levels_are_a_logistic_regression_with_negative_threshold_as_intercept(self):
        y = np.array([0] * 30 + [1] * 70)
        fit = fit_ordered_logit(y, np.empty((100, 0)), 2)
        assert fit.thresholds[0] == pytest.approx(np.log(30 / 70))
        assert fit.covariance[0, 0] == pytest.approx(1 / (100 * 0.3 * 0.7))

    def test_without_predictors_the_shares_of_the_levels_are_fitted(self):
        y = np.repeat([0, 1, 2], [20, 30, 50])
        fit = fit_ordered_logit(y, np.empty((100, 0)), 3)
        probabilities = fit.predict_probabilities(np.empty((1, 0)))
        np.testing.assert_allclose(probabilities, [[0.2, 0.3, 0.5]])

    def test_with_two_levels_the_mean_predicted_probability_is_their_share(self):
        y, x = simulate(n_levels=2)
        probabilities = fit_ordered_logit(y, x, 2).predict_probabilities(x)
        np.testing.assert_allclose(probabilities.mean(axis=0), np.bincount(y) / len(y), atol=1e-10)

    def test_whole_weights_are_repeated_rows(self):
        y, x = simulate(n=120)
        weights = np.arange(120) % 3 + 1
        weighted = fit_ordered_logit(y, x, 4, weights)
        repeated = fit_ordered_logit(np.repeat(y, weights), np.repeat(x, weights, axis=0), 4)
        np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, rtol=1e-9)
        np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=1e-9)

    def test_rows_of_weight_zero_do_not_count(self):
        y, x = simulate(n=120)
        weights = (np.arange(120) < 100).astype(float)
        weighted = fit_ordered_logit(y, x, 4, weights)
        shorter = fit_ordered_logit(y[:100], x[:100], 4)
        np.testing.assert_allclose(weighted.thresholds, shorter.thresholds, rtol=1e-9)

    def test_reversed_levels_change_all_signs(self):
        y, x = simulate()
        fit, reverse = fit_ordered_logit(y, x, 4), fit_ordered_logit(3 - y, x, 4)
        np.testing.assert_allclose(reverse.coefficients, -fit.coefficients, rtol=1e-8)
        np.testing.assert_allclose(reverse.thresholds, -fit.thresholds[::-1], rtol=1e-8)

    @given(
        scale=st.floats(1e-4, 1e4),
        shift=st.floats(-1e4, 1e4),
        n_levels=st.integers(2, 6),
        seed=st.integers(0, 1000),
    )
    @settings(max_examples=40, deadline=None)
    def test_predictions_do_not_depend_on_the_units_of_x(self, scale, shift, n_levels, seed):
        y, x = simulate(n=200, n_levels=n_levels, seed=seed)
        changed = x * scale + shift
        here = fit_ordered_logit(y, x, n_levels)
        there = fit_ordered_logit(y, changed, n_levels)
        assert here.converged
        assert there.converged
        assert (np.diff(there.thresholds) > 0).all()
        probabilities = there.predict_probabilities(changed)
        np.testing.assert_allclose(probabilities, here.predict_probabilities(x), atol=1e-5)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


class TestNoFit:
    def test_separated_levels_do_not_converge(self):
        y, x = np.repeat([0, 1, 2], 20), np.arange(60.0)[:, None]
        fit = fit_ordered_logit(y, x, 3)
        assert not fit.converged
        assert np.isnan(fit.covariance).all()

    def test_partly_separated_levels_do_not_converge(self):
        y, x = simulate(n_levels=3)
        only_in_the_highest = ((y == 2) & (np.arange(len(y)) % 2 == 0)).astype(float)
        fit = fit_ordered_logit(y, np.column_stack([x, only_in_the_highest]), 3)
        assert not fit.converged

    def test_pseudo_rows_make_separated_levels_estimable(self):
        y, x = np.repeat([0, 1, 2], 20), np.arange(60.0)[:, None]
        pseudo_y = np.tile([0, 1, 2], 2)
        pseudo_x = np.repeat(x.mean() + np.array([-1, 1]) * x.std(), 3)[:, None]
        weights = np.concatenate([np.ones(60), np.full(6, 0.5)])
        fit = fit_ordered_logit(
            np.concatenate([y, pseudo_y]), np.concatenate([x, pseudo_x]), 3, weights
        )
        assert fit.converged
        assert fit.coefficients[0] > 0

    def test_collinear_predictors_do_not_converge(self):
        y, x = simulate()
        assert not fit_ordered_logit(y, np.column_stack([x, np.ones(len(y))]), 4).converged

    def test_empty_level_is_named_by_its_number(self):
        y, x = np.repeat([0, 2], 20), np.arange(40.0)[:, None]
        with pytest.raises(ModelError, match="level 2 of 3 of the response has no rows"):
            fit_ordered_logit(y, x, 3)

    def test_one_level_is_not_enough(self):
        with pytest.raises(ModelError, match="at least 2 levels"):
            fit_ordered_logit(np.zeros(5, dtype=int), np.zeros((5, 1)), 1)
