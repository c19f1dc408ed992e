"""Matching with distance-dependent chances."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.errors import PlanError
from tests.engine.builders import fit


def test_near_donors_are_chosen_and_a_regression_is_kept() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((500, 1))
    y = 2 + 3 * x[:, 0] + rng.standard_normal(500)
    new = rng.standard_normal((2000, 1))
    drawn = fit("midastouch", y, x).draw(new, rng)
    slope, intercept = np.polyfit(new[:, 0], drawn, 1)
    assert set(drawn) <= set(y)
    assert slope == pytest.approx(3, abs=0.3)
    assert intercept == pytest.approx(2, abs=0.3)


def test_a_larger_kappa_keeps_nearer() -> None:
    rng = np.random.default_rng(2)
    x = np.linspace(0, 1, 200)[:, None]
    new = np.full((2000, 1), 0.5)
    spread = [fit("midastouch", x[:, 0], x, kappa=k).draw(new, rng).std() for k in (0.5, 2.0, 8.0)]
    assert spread[0] > 2 * spread[1] > 4 * spread[2]


def test_the_donors_vary_between_draws_as_a_bootstrap() -> None:
    rng = np.random.default_rng(3)
    fitted = fit("midastouch", np.arange(20.0), np.empty((20, 0)))
    present = [len(set(fitted.draw(np.empty((3000, 0)), rng))) for _ in range(50)]
    assert np.mean(present) == pytest.approx(20 * (1 - (1 - 1 / 20) ** 20), abs=0.7)


def test_a_constant_stays_constant() -> None:
    drawn = fit("midastouch", np.full(8, 4.0), np.arange(8.0)[:, None]).draw(
        np.arange(5.0)[:, None], np.random.default_rng(0)
    )
    assert (drawn == 4.0).all()


def test_kappa_is_positive() -> None:
    with pytest.raises(PlanError, match="kappa must be greater than 0"):
        fit("midastouch", np.arange(5.0), np.ones((5, 1)), kappa=0)
