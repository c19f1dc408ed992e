"""Proportional-odds logistic regression."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from synth_tasks.data import Kind
from synth_tasks.engine.methods import polr as module
from synth_tasks.engine.methods.polr import Polr
from synth_tasks.engine.methods.polyreg import Polyreg
from tests.engine.builders import category, fit, read_fixture

R = read_fixture("r_models.json")


def stages(n_levels: int) -> object:
    return category(n_levels, Kind.ORDINAL)


@pytest.mark.parametrize(("case", "outcome"), [("overlapping", "three"), ("separated", "steps")])
def test_probabilities_equal_those_of_polr_on_the_augmented_data(case: str, outcome: str) -> None:
    x, y = np.array(R["x"]), np.array(R[outcome]) - 1
    fitted = fit("polr", y, x, stages(3))
    assert isinstance(fitted, Polr)
    probabilities = fitted.model.predict_probabilities(fitted.design.matrix(x))
    np.testing.assert_allclose(probabilities, R["polr"][case], atol=1e-4)


def test_known_coefficients_are_recovered() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((20_000, 1))
    latent = 1.5 * x[:, 0] + rng.logistic(size=20_000)
    y = np.digitize(latent, [-1.0, 0.5, 2.0])
    fitted = fit("polr", y, x, stages(4))
    assert isinstance(fitted, Polr)
    slope = fitted.model.coefficients / fitted.design.scale
    assert slope[0] == pytest.approx(1.5, abs=4 * np.sqrt(fitted.model.covariance[0, 0]))
    drawn = fitted.draw(np.full((20_000, 1), 1.0), rng)
    below = expit(np.array([-1.0, 0.5, 2.0]) - 1.5)
    expected = np.diff(below, prepend=0, append=1)
    np.testing.assert_allclose(np.bincount(drawn.astype(int)) / 20_000, expected, atol=0.025)


def test_codes_of_absent_categories_are_skipped() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((90, 1))
    y = np.array([0.0, 2.0, 5.0])[np.digitize(x[:, 0], [-0.5, 0.5])]
    assert set(fit("polr", y, x, stages(6)).draw(x, rng)) <= {0.0, 2.0, 5.0}


def test_fewer_than_three_categories_go_to_polyreg() -> None:
    x = np.arange(10.0)[:, None]
    assert isinstance(fit("polr", np.arange(10) % 2, x, stages(4)), Polyreg)
    assert fit("polr", np.full(10, 3.0), x, stages(4)).draw(x, np.random.default_rng(0))[0] == 3.0


def test_a_fit_without_maximum_goes_to_polyreg_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without pseudo-rows, separated categories have no maximum.
    monkeypatch.setattr(module, "augment", lambda y, x, n_levels: (y, x, np.ones(len(y))))
    x = np.linspace(-2, 2, 60)[:, None]
    log: list[str] = []
    fitted = fit("polr", np.digitize(x[:, 0], [-0.5, 0.5]), x, stages(3), log=log)
    assert isinstance(fitted, Polyreg)
    assert log[0] == "polr did not converge; polyreg used instead"


def test_no_predictor_leaves_the_margin() -> None:
    y = np.repeat([0, 1, 2], [100, 300, 600])
    drawn = fit("polr", y, np.empty((1000, 0)), stages(3)).draw(
        np.empty((30_000, 0)), np.random.default_rng(3)
    )
    np.testing.assert_allclose(np.bincount(drawn.astype(int)) / 30_000, [0.1, 0.3, 0.6], atol=0.015)
