"""Random forests with donors."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.errors import PlanError
from tests.engine.builders import category, fit


def test_a_step_is_learnt_and_values_are_donors() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (500, 1))
    y = np.where(x[:, 0] > 0, 10.0, 0.0) + rng.standard_normal(500)
    drawn = fit("rf", y, x).draw(np.array([[-0.5], [0.5]] * 400), rng)
    assert drawn[::2].mean() == pytest.approx(0, abs=0.4)
    assert drawn[1::2].mean() == pytest.approx(10, abs=0.4)
    assert set(drawn) <= set(y)


def test_class_probabilities_survive() -> None:
    rng = np.random.default_rng(2)
    group = rng.integers(2, size=4000)
    y = (rng.random(4000) < np.where(group == 1, 0.38, 0.14)).astype(float)
    fitted = fit(
        "rf", y, group[:, None], target=category(2), predictors=[category(2, name="g")], ntree=20
    )
    for level, share in ((0, 0.14), (1, 0.38)):
        drawn = fitted.draw(np.full((8000, 1), level), rng)
        assert drawn.mean() == pytest.approx(share, abs=0.04)


def test_every_draw_grows_its_own_trees_from_its_generator() -> None:
    x = np.random.default_rng(3).standard_normal((60, 2))
    fitted = fit("rf", x[:, 0], x)
    first, same, other = (fitted.draw(x, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_without_predictors_the_margin_serves() -> None:
    drawn = fit("rf", np.arange(5.0), np.empty((5, 0))).draw(
        np.empty((2000, 0)), np.random.default_rng(4)
    )
    assert np.bincount(drawn.astype(int), minlength=5).min() > 300


@pytest.mark.parametrize("option", ["ntree", "minbucket"])
def test_options_are_whole_numbers(option: str) -> None:
    with pytest.raises(PlanError, match=f"rf.{option} must be a whole number"):
        fit("rf", np.arange(5.0), np.ones((5, 1)), **{option: 0})
