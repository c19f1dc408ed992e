"""Classification and regression trees."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.data import Kind
from synth_tasks.engine.methods.cart import CartOptions
from synth_tasks.engine.tree import Tree
from synth_tasks.errors import PlanError
from tests.engine.builders import category, fit


@pytest.mark.parametrize("cp", [1e-4, 1e-8, 0.0])
@pytest.mark.parametrize("kind", [Kind.BINARY, Kind.BOOLEAN, Kind.NOMINAL, Kind.ORDINAL])
def test_class_probabilities_survive_below_one_half(cp: float, kind: Kind) -> None:
    # rpart prunes this split, for the majority is "no" on both sides: P(yes) comes out .27 and .25.
    rng = np.random.default_rng(1)
    group = np.repeat([0.0, 1.0], 2000)[:, None]
    yes = rng.random(4000) < np.where(group[:, 0] == 0, 0.14, 0.38)
    fitted = fit("cart", yes, group, category(2, kind), [category(2, Kind.BINARY)], cp=cp)
    drawn = fitted.draw(np.repeat([0.0, 1.0], 20_000)[:, None], rng).reshape(2, -1)
    error = np.sqrt(0.38 * 0.62 / 20_000)
    for level in (0, 1):
        trained = yes[group[:, 0] == level].mean()
        assert drawn[level].mean() == pytest.approx(trained, abs=4.5 * error)
    assert drawn[1].mean() - drawn[0].mean() > 0.2


def test_numbers_are_drawn_from_similar_rows() -> None:
    rng = np.random.default_rng(2)
    x = rng.uniform(-3, 3, size=(2000, 1))
    y = np.sin(x[:, 0]) + 0.1 * rng.standard_normal(2000)
    new = rng.uniform(-3, 3, size=(2000, 1))
    drawn = fit("cart", y, x).draw(new, rng)
    assert np.isin(drawn, y).all()
    residual = drawn - np.sin(new[:, 0])
    assert abs(residual.mean()) < 0.02
    assert 0.1 < residual.std() < 0.16


def test_the_defaults_are_those_of_mice() -> None:
    options = CartOptions()
    assert (options.minbucket, options.cp, options.minsplit, options.maxdepth) == (
        5,
        1e-4,
        None,
        30,
    )


def test_a_node_is_split_from_three_buckets_on() -> None:
    x = np.arange(14.0)[:, None]
    assert len(np.unique(leaves(fit("cart", x[:, 0], x), x))) == 1
    x = np.arange(15.0)[:, None]
    assert len(np.unique(leaves(fit("cart", x[:, 0], x), x))) > 1
    assert len(np.unique(leaves(fit("cart", x[:, 0], x, minsplit=16), x))) == 1


def leaves(fitted: object, x: np.ndarray) -> np.ndarray:
    assert isinstance(fitted, Tree)
    return fitted.leaves(x)


@pytest.mark.parametrize(
    ("option", "value", "remedy"),
    [
        ("minbucket", 0, "minbucket must be a whole number of 1 or more"),
        ("minbucket", 2.5, "minbucket must be a whole number of 1 or more"),
        ("minbucket", "3", "minbucket must be a whole number of 1 or more"),
        ("minbucket", True, "minbucket must be a whole number of 1 or more"),
        ("minsplit", 1, "minsplit must be a whole number of 2 or more"),
        ("maxdepth", 0, "maxdepth must be a whole number of 1 or more"),
        ("maxdepth", 1001, "maxdepth must be at most 1000"),
        ("cp", -0.1, "cp must be 0 or more"),
        ("cp", float("nan"), "cp must be 0 or more"),
        ("cp", "small", "cp must be 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(option: str, value: object, remedy: str) -> None:
    with pytest.raises(PlanError, match=f"method_options.cart.{remedy}"):
        CartOptions(**{option: value})
