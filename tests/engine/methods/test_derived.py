"""derived: a value computed from another column that says the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synth_tasks.engine import mice, synthesize
from synth_tasks.errors import PlanError
from tests.engine.builders import category, fit, number

RNG = np.random.default_rng(0)
X = RNG.standard_normal((50, 2))


def draw(model: object, x: np.ndarray) -> np.ndarray:
    return model.draw(x, np.random.default_rng(0))  # type: ignore[attr-defined]


def test_a_number_follows_from_the_predictor_that_says_the_same() -> None:
    model = fit("derived", 3 - 2 * X[:, 1], X)
    new = np.array([[9.0, 0.0], [9.0, 10.0]])
    np.testing.assert_allclose(draw(model, new), [3, -17])


def test_nothing_is_random() -> None:
    model = fit("derived", 3 - 2 * X[:, 1], X)
    np.testing.assert_array_equal(
        model.draw(X, np.random.default_rng(1)), model.draw(X, np.random.default_rng(2))
    )


def test_a_category_follows_from_its_other_name() -> None:
    codes = np.arange(50) % 3.0
    x = np.column_stack([X[:, 0], codes])
    predictors = (number("a"), category(3, name="b"))
    model = fit("derived", 2 - codes, x, category(3), predictors)
    np.testing.assert_array_equal(draw(model, x), 2 - codes)


def test_one_value_is_that_value() -> None:
    assert draw(fit("derived", np.full(50, 4.0), X), X[:3]).tolist() == [4, 4, 4]


def test_two_rows_are_enough_where_columns_are_known_to_say_the_same() -> None:
    model = fit("derived", np.array([2.0, 4.0]), np.array([[1.0], [2.0]]))
    assert draw(model, np.array([[3.0]])).tolist() == [pytest.approx(6)]


def test_an_unrelated_variable_is_refused() -> None:
    with pytest.raises(PlanError, match="method 'derived' of 'y': it follows from none of its"):
        fit("derived", RNG.standard_normal(50), X)


def test_it_may_be_asked_for() -> None:
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 0] * 2, "c": X[:, 1]})
    made = synthesize(
        frame, m=1, method={"b": "derived"}, predictor_matrix={"b": {"c": 0}}, seed=1
    ).complete(1)
    np.testing.assert_allclose(made["b"], 2 * made["a"])


def test_a_stratum_of_narrow_range_derives_as_the_whole_does() -> None:
    # One unit of rounding is little in the whole range, and much in that of a stratum.
    rng = np.random.default_rng(1)
    part = np.repeat(np.arange(10), 100)
    a = part * 100 + rng.integers(0, 5, 1000)
    frame = pd.DataFrame(
        {"s": [f"part {i}" for i in part], "a": a, "b": a + rng.integers(0, 2, 1000)}
    )
    made = synthesize(frame, m=1, strata="s", min_stratum_size=50, seed=1).complete(1)
    assert (made["b"] - made["a"]).between(-1, 2).all()


def test_holes_in_both_columns_are_imputed_together() -> None:
    frame = pd.DataFrame({"a": X[:, 0], "b": 5 - X[:, 0], "c": X[:, 1]})
    frame.loc[:9, ["a", "b"]] = np.nan
    imputed = mice(frame, m=2, maxit=3, seed=1)
    for one in imputed.complete("all"):
        np.testing.assert_allclose(one["a"] + one["b"], 5)
        assert one["a"][:10].notna().all()
