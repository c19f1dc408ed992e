"""What is exported of each fitted method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from synth_tasks.data import Kind, Variable
from synth_tasks.engine.portable.export import EXPORTABLE, Exported, export_model
from synth_tasks.engine.registry import Fitted, find_method
from synth_tasks.errors import PlanError
from tests.engine.builders import category, fit, number, numbers

RNG = np.random.default_rng(1)
X = RNG.standard_normal((300, 2))
Y = X @ [1.0, -0.5] + RNG.standard_normal(300)
TWO = (Y > 0).astype(float)
FOUR = np.digitize(Y, [-1, 0, 1]).astype(float)
BINARY, NOMINAL, ORDINAL = (
    category(2, Kind.BINARY),
    category(4, Kind.NOMINAL),
    category(4, Kind.ORDINAL),
)


def exported(model: Fitted, target: Variable, predictors: Sequence[Variable], name: str) -> Fitted:
    return export_model(model, Exported(target, tuple(predictors), name))


@pytest.mark.parametrize(
    ("method", "y", "target"),
    [
        ("norm", Y, number()),
        ("norm.nob", Y, number()),
        ("norm.predict", Y, number()),
        ("mean", Y, number()),
        ("lognorm", np.exp(Y), number()),
        ("sqrtnorm", np.exp(Y), number()),
        ("cubertnorm", Y, number()),
        ("logreg", TWO, BINARY),
        ("polyreg", TWO, BINARY),
        ("polyreg", FOUR, NOMINAL),
        ("polr", FOUR, ORDINAL),
        ("lda", TWO, BINARY),
        ("lda", FOUR, NOMINAL),
        ("polyreg", np.zeros(300), BINARY),
    ],
)
def test_parametric_models_draw_the_same(method: str, y: np.ndarray, target: Variable) -> None:
    model = fit(method, y, X, target=target)
    draws = [
        m.draw(X, np.random.default_rng(2))
        for m in (model, exported(model, target, numbers(2), method))
    ]
    np.testing.assert_array_equal(*draws)


def test_a_model_without_predictors_draws_the_same() -> None:
    nothing = np.empty((300, 0))
    model = fit("polyreg", FOUR, nothing, target=NOMINAL)
    draws = [
        m.draw(nothing, np.random.default_rng(2))
        for m in (model, exported(model, NOMINAL, (), "polyreg"))
    ]
    np.testing.assert_array_equal(*draws)


@pytest.mark.parametrize("method", ["ipf", "derived"])
def test_tables_and_relations_stay(method: str) -> None:
    predictor = category(4, Kind.NOMINAL, "x0")
    model = fit(method, FOUR, FOUR[:, None], target=NOMINAL, predictors=[predictor])
    assert exported(model, NOMINAL, [predictor], method) is model


def test_normal_scores_keep_margin_and_relation() -> None:
    y = np.exp(Y)
    model = fit("normrank", y, X)
    many = np.tile(X, (100, 1))
    drawn = exported(model, number(), numbers(2), "normrank").draw(many, np.random.default_rng(2))
    expected = model.draw(many, np.random.default_rng(2))
    # The same scores, read from two quantile functions, which differ in the upper tail of 3 people.
    assert np.corrcoef(drawn, expected)[0, 1] > 0.99
    for p in (0.05, 0.5, 0.95):
        assert np.quantile(drawn, p) == pytest.approx(np.quantile(y, p), rel=0.1)


def test_nested_categories_and_numbers_follow_their_group() -> None:
    predictor = category(5, Kind.NOMINAL, "x0")  # the last category has no rows
    groups, asked = FOUR[:, None], np.repeat(np.arange(5.0), 4000)[:, None]
    for y, target in ((TWO, BINARY), (Y, number())):
        model = fit("nested", y, groups, target=target, predictors=[predictor])
        drawn = exported(model, target, [predictor], "nested").draw(asked, np.random.default_rng(2))
        means = drawn.reshape(5, 4000).mean(axis=1)
        expected = [*(y[groups[:, 0] == g].mean() for g in range(4)), y.mean()]
        # Standard errors are below 0.01 for categories and 0.02 for numbers.
        np.testing.assert_allclose(means, expected, atol=0.05)


def test_small_groups_are_refused() -> None:
    predictor = category(2, Kind.BINARY, "x0")
    groups = (np.arange(300) < 2).astype(float)[:, None]
    model = fit("nested", Y, groups, predictors=[predictor])
    with pytest.raises(PlanError, match=r"groups of fewer than 3 rows.*merge categories of 'x0'"):
        exported(model, number(), [predictor], "nested")


def test_the_methods_named_to_users_exist() -> None:
    for name in EXPORTABLE:
        assert find_method(name).name == name


def test_other_packages_register_their_own() -> None:
    @dataclass(frozen=True)
    class Mine:
        donors: np.ndarray

        def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return self.donors[: len(x)]

    @dataclass(frozen=True)
    class Shared:
        mean: float

        def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return np.full(len(x), self.mean)

    export_model.register(Mine, lambda model, of: Shared(float(model.donors.mean())))
    assert exported(Mine(Y), number(), (), "mine") == Shared(float(Y.mean()))
