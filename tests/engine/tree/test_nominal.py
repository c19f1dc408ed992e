"""Grouping the levels of nominal predictors."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tests.engine.builders import category, number
from tests.engine.tree.growing import grow, impurity

RNG = np.random.default_rng


def removed(response: np.ndarray, left: np.ndarray) -> float:
    return impurity(response) - impurity(response[left]) - impurity(response[~left])


@pytest.mark.parametrize("n_classes", [0, 2])
def test_levels_are_grouped_at_best(n_classes: int) -> None:
    codes = RNG(18).integers(0, 7, size=400)
    centers = RNG(19).standard_normal(7)
    y = centers[codes] + RNG(20).standard_normal(400)
    if n_classes:
        y = (y > 0).astype(float)
    tree = grow(
        y, codes[:, None], [category(7)], categorical=bool(n_classes), minbucket=1, maxdepth=1
    )
    found = removed(y[:, None], tree.leaves(codes[:, None].astype(float)) == 1)
    best = max(
        removed(y[:, None], np.isin(codes, group))
        for size in (1, 2, 3)
        for group in combinations(range(7), size)
    )
    assert found == pytest.approx(best)


def test_levels_are_grouped_well_for_several_classes() -> None:
    codes = RNG(21).integers(0, 40, size=4000)
    likely = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])[codes % 2]
    y = (RNG(22).random((4000, 1)) > likely.cumsum(axis=1)).sum(axis=1)
    x = codes[:, None].astype(float)
    leaves = grow(y, x, [category(40)], categorical=True, maxdepth=1).leaves(x)
    np.testing.assert_array_equal(leaves == leaves[codes == 0][0], codes % 2 == 0)


@pytest.mark.parametrize("seed", range(8))
def test_the_grouping_for_several_classes_is_near_the_best(seed: int) -> None:
    """The first principal component is no exact answer, but it comes close to all 127 groupings."""
    rng = RNG(seed)
    codes = rng.integers(0, 8, size=600)
    shares = rng.dirichlet(np.ones(4), size=8)
    y = (rng.random((600, 1)) > shares[codes].cumsum(axis=1)[:, :-1]).sum(axis=1)
    x = codes[:, None].astype(float)
    response = np.eye(4)[y]
    leaves = grow(y, x, [category(8)], categorical=True, minbucket=1, maxdepth=1).leaves(x)
    best = max(
        removed(response, np.isin(codes, group))
        for size in (1, 2, 3, 4)
        for group in combinations(range(8), size)
    )
    assert removed(response, leaves == 1) > 0.9 * best


def test_levels_are_ordered_anew_in_every_node() -> None:
    """Their order by the mean response is the reverse for the other half of the rows."""
    half = RNG(1).integers(0, 2, size=2000)
    codes = RNG(2).integers(0, 6, size=2000)
    y = np.where(half == 1, codes % 3, -(codes % 3)) + 100.0 * half
    x = np.column_stack([half, codes]).astype(float)
    tree = grow(y, x, [number("half"), category(6)], minbucket=1)
    assert (tree.questions.feature >= 0).sum() == 5  # one by half, two in each of them
    np.testing.assert_array_equal(tree.draw(x, RNG(3)), y)


def test_there_may_be_very_many_levels() -> None:
    codes = RNG(23).integers(0, 1000, size=20_000)
    y = (codes % 3 == 0) * 10.0 + RNG(24).standard_normal(20_000)
    x = codes[:, None].astype(float)
    leaves = grow(y, x, [category(1000)], maxdepth=1).leaves(x)
    np.testing.assert_array_equal(leaves == 1, codes % 3 == 0)


def test_levels_that_do_not_occur_in_a_node_go_with_the_majority() -> None:
    codes = np.repeat([0.0, 1.0, 2.0], [10, 20, 50])
    y = np.repeat([0.0, 9.0, 9.0], [10, 20, 50])
    tree = grow(y, codes[:, None], [category(5)])
    unknown = np.array([[3.0], [4.0]])
    np.testing.assert_array_equal(tree.leaves(unknown), tree.leaves(np.array([[2.0], [1.0]])))


def test_levels_of_equal_response_are_kept_together_or_apart_without_harm() -> None:
    codes = np.tile([0.0, 1.0, 2.0, 3.0], 30)
    y = np.isin(codes, [1, 3]).astype(float)
    for categorical in (False, True):
        tree = grow(y, codes[:, None], [category(4)], categorical=categorical)
        assert len(tree.questions.feature) == 3
        np.testing.assert_array_equal(tree.draw(codes[:, None], RNG(4)), y)
