"""Growth for many rows."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.data import Kind, Variable
from synth_tasks.engine.tree import Tree
from tests.engine.builders import category, number, numbers
from tests.engine.tree.growing import grow

RNG = np.random.default_rng


def grow_both(
    y: np.ndarray, x: np.ndarray, predictors: list[Variable], categorical: bool, **limits: int
) -> tuple[Tree, Tree]:
    """Grow a tree exactly, and one by histogram down to nodes of 50 rows."""
    exact = grow(y, x, predictors, categorical, **limits)
    return exact, grow(y, x, predictors, categorical, many_rows=0, small_node=50, **limits)


@pytest.mark.parametrize("categorical", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_nothing_is_lost_where_values_are_few(categorical: bool, weighted: bool) -> None:
    rng = RNG(1)
    x = np.column_stack([rng.integers(0, 256, 3000), rng.integers(0, 7, (3000, 3))]).astype(float)
    y = (
        np.sin(x[:, 0] / 20)
        + 0.2 * x[:, 1]
        + 0.1 * (x[:, 2] == 3)
        + 0.2 * rng.standard_normal(3000)
    )
    if categorical:
        y = np.digitize(y, [0.0, 0.5, 1.0]).astype(float)
    predictors = [number("a"), category(7, Kind.ORDINAL, "b"), category(7, name="c"), number("d")]
    counts = rng.integers(0, 3, 3000) if weighted else None
    exact, binned = grow_both(y, x, predictors, categorical, counts=counts)  # type: ignore[arg-type]
    assert len(exact.questions.feature) > 200
    for name in ("feature", "threshold", "right", "first_level", "end_level", "levels"):
        np.testing.assert_array_equal(
            getattr(exact.questions, name), getattr(binned.questions, name)
        )
    np.testing.assert_array_equal(exact.leaf_donors.donors, binned.leaf_donors.donors)
    np.testing.assert_array_equal(exact.leaf_donors.start, binned.leaf_donors.start)
    np.testing.assert_array_equal(exact.leaf_donors.size, binned.leaf_donors.size)


@pytest.mark.parametrize("categorical", [False, True])
def test_little_is_lost_where_values_are_many(categorical: bool) -> None:
    rng = RNG(2)
    x = rng.standard_normal((20_000, 4)) * [1, 1e-9, 1e9, 1]
    x[:, 3] = np.exp(8 * x[:, 3])  # most values lie in a tiny part of the range
    y = np.sin(3 * x[:, 0]) + x[:, 1] * 1e9 * (np.log(x[:, 3]) > 0) + rng.standard_normal(20_000)
    if categorical:
        y = np.digitize(y, [-1.0, 0.0, 1.0]).astype(float)
    exact, binned = grow_both(y, x, list(numbers(4)), categorical, minbucket=20)
    remaining = [left_over(tree, y, x, categorical) for tree in (exact, binned)]
    assert remaining[1] == pytest.approx(remaining[0], rel=0.01)


def left_over(tree: Tree, y: np.ndarray, x: np.ndarray, categorical: bool) -> float:
    response = np.eye(4)[y.astype(int)] if categorical else y[:, None]
    _, leaves = np.unique(tree.leaves(x), return_inverse=True)
    size = np.bincount(leaves)
    means = np.column_stack([np.bincount(leaves, column) / size for column in response.T])
    return float(((response - means[leaves]) ** 2).sum())


def test_a_jump_is_found_exactly_however_many_rows_there_are() -> None:
    """The first split may miss it by a bin; the nodes below have finer bins."""
    x = RNG(3).random((100_000, 1))
    y = (x[:, 0] > 0.123456).astype(float)
    tree = grow(y, x, minbucket=1, minsplit=2)
    np.testing.assert_array_equal(tree.draw(x, RNG(4)), y)


def test_rows_are_where_the_tree_sends_them() -> None:
    rng = RNG(5)
    x = np.column_stack([rng.random((60_000, 2)), rng.integers(0, 300, 60_000)])
    predictors = [*numbers(2), category(300, name="c")]
    y = np.arange(60_000.0)  # tells whose value it is
    tree = grow(y * (1 + x[:, 0]), x, predictors)
    leaves = tree.leaves(x)
    donors = tree.leaf_donors
    assert donors.size[leaves].min() >= 5
    np.testing.assert_array_equal(np.bincount(leaves, minlength=len(donors.size)), donors.size)
    of_donor = np.repeat(np.arange(len(donors.size)), donors.size)
    by_value = dict(
        zip(np.sort(y * (1 + x[:, 0])), leaves[np.argsort(y * (1 + x[:, 0]))], strict=True)
    )
    in_order = np.argsort(donors.start[donors.size > 0], kind="stable")
    assert (np.diff(in_order) > 0).all()
    assert [by_value[value] for value in donors.donors[:2000]] == of_donor[:2000].tolist()


def test_limits_hold_in_large_nodes() -> None:
    x = RNG(6).random((5000, 2))
    y = x[:, 0] + x[:, 1]
    limits = {"many_rows": 0, "small_node": 10}
    assert (grow(y, x, maxdepth=3, **limits).questions.feature < 0).sum() == 8
    assert len(grow(y, x, cp=1.0, **limits).questions.feature) == 1
    assert len(grow(y, x, minsplit=5001, **limits).questions.feature) == 1
    assert len(grow(np.ones(5000), x, **limits).questions.feature) == 1
    sizes = grow(y, x, minbucket=700, **limits).leaf_donors.size
    assert sizes[sizes > 0].min() >= 700
