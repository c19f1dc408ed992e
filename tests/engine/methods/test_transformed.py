"""Normal regression on a transformed scale."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.data import Kind
from synth_tasks.engine.methods import transformed  # noqa: F401  (registers the methods)
from synth_tasks.engine.registry import check_suits, find_method
from synth_tasks.errors import PlanError
from tests.engine.builders import category, fit, number

SCALES = {
    "lognorm": (np.log, np.exp),
    "sqrtnorm": (np.sqrt, np.square),
    "cubertnorm": (np.cbrt, lambda z: z**3),
}


def positive(n_rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw predictors and positive, skewed values that depend on them."""
    x = rng.standard_normal((n_rows, 1))
    return np.exp(1 + 0.5 * x[:, 0] + 0.3 * rng.standard_normal(n_rows)), x


@pytest.mark.parametrize("name", SCALES)
def test_draws_are_those_of_norm_transformed_back(name: str) -> None:
    forth, back = SCALES[name]
    y, x = positive(50, np.random.default_rng(1))
    drawn = fit(name, y, x).draw(x, np.random.default_rng(2))
    on_scale = fit("norm", forth(y), x).draw(x, np.random.default_rng(2))
    np.testing.assert_array_equal(drawn, back(on_scale))


@pytest.mark.parametrize("name", SCALES)
def test_parameters_are_drawn(name: str) -> None:
    assert find_method(name).draws_parameters


def test_lognorm_recovers_the_mean_and_variance_of_a_lognormal_variable() -> None:
    rng = np.random.default_rng(3)
    n = 40_000
    y = np.exp(1 + 0.5 * rng.standard_normal(n))
    drawn = fit("lognorm", y, np.empty((n, 0))).draw(np.empty((n, 0)), rng)
    mean, spread = np.exp(1 + 0.125), np.exp(0.25) - 1
    error = mean * np.sqrt(spread / n)
    # Training rows and draws each add the standard error of a mean.
    assert drawn.mean() == pytest.approx(mean, abs=4 * np.sqrt(2) * error)
    assert drawn.var() == pytest.approx(mean**2 * spread, rel=0.1)


def test_sqrtnorm_takes_zeros_and_gives_no_negative_value() -> None:
    rng = np.random.default_rng(4)
    y = np.maximum(rng.standard_normal(300), 0)
    assert (fit("sqrtnorm", y, np.empty((300, 0))).draw(np.empty((2000, 0)), rng) >= 0).all()


def test_cubertnorm_takes_values_of_both_signs() -> None:
    rng = np.random.default_rng(5)
    y = (rng.standard_normal(5000) - 0.5) ** 3
    drawn = fit("cubertnorm", y, np.empty((5000, 0))).draw(np.empty((5000, 0)), rng)
    # P(z < 0.5) = 0.6915 for standard normal z; standard error 0.008 with that of the fit.
    assert np.mean(drawn < 0) == pytest.approx(0.6915, abs=0.03)


@pytest.mark.parametrize("name", ["lognorm", "sqrtnorm"])
def test_negative_values_are_refused_with_other_methods(name: str) -> None:
    with pytest.raises(PlanError) as caught:
        fit(name, np.array([1.0, 0.0, -73.5]), np.zeros((3, 1)), number("balance"))
    assert str(caught.value) == (
        f"method '{name}' of 'balance': the column has negative values; use cubertnorm or normrank"
    )


def test_lognorm_refuses_zeros_with_a_remedy() -> None:
    with pytest.raises(PlanError) as caught:
        fit("lognorm", np.array([1.0, 0.0, 2.0]), np.zeros((3, 1)), number("income"))
    assert str(caught.value) == (
        "method 'lognorm' of 'income': the column has zeros; declare 0 as a spike of the variable, "
        "or use sqrtnorm or normrank"
    )


@pytest.mark.parametrize("kind", [Kind.DATETIME, Kind.ORDINAL])
def test_dates_and_categories_have_no_logarithm(kind: Kind) -> None:
    with pytest.raises(PlanError, match="method 'lognorm' cannot be used"):
        check_suits("lognorm", category(3, kind))
