"""Trees without donors."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.data import Kind, Variable
from synth_tasks.engine.portable.shares import Shares
from synth_tasks.engine.portable.tree import PortableTree, export_tree
from synth_tasks.engine.tree import Tree
from synth_tasks.errors import PlanError
from tests.engine.builders import category, fit, number, numbers


def grow(
    y: np.ndarray, x: np.ndarray, target: Variable | None = None, **options: object
) -> tuple[Tree, PortableTree]:
    tree = fit("cart", y, x, target=target or number(), **options)
    assert isinstance(tree, Tree)
    exported = export_tree(tree, tree.leaf_donors.donors, target or number(), numbers(x.shape[1]))
    return tree, exported


def test_rows_fall_in_the_leaves_they_fell_in() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2000, 3)) * [1, 50, 0.001]
    tree, exported = grow(x @ [1, 0.02, 1000], x)
    leaves = tree.leaves(x)
    assert len(np.unique(leaves)) > 100
    # Only rows within half a cell of a threshold, 0.5 % of a standard deviation, may go elsewhere.
    _, number_of_leaf = np.unique(leaves, return_inverse=True)
    assert np.mean(exported.groups(x) == number_of_leaf) > 0.95


def test_a_threshold_is_the_middle_of_a_cell() -> None:
    x = np.repeat([1.0, 3.0], 20) + np.linspace(0, 0.1, 40)
    _, exported = grow(np.repeat([0.0, 5.0], 20), x[:, None])
    # The standard deviation, 1.01, gives cells of 0.01; half way lies 2.0499 or so.
    assert exported.questions.threshold[0] == 2.045
    assert (exported.questions.feature == [0, -1, -1]).all()


def test_values_on_a_coarse_grid_stay_on_their_side() -> None:
    x = np.random.default_rng(2).integers(0, 60, size=(1000, 1)).astype(float)
    tree, exported = grow(np.sin(x[:, 0]) * 10, x)
    _, number_of_leaf = np.unique(tree.leaves(x), return_inverse=True)
    np.testing.assert_array_equal(exported.groups(x), number_of_leaf)


def test_nominal_predictors_are_asked_in_the_order_of_their_categories() -> None:
    x = np.repeat([0.0, 1.0, 2.0, 3.0], 30)[:, None]
    y = np.repeat([5.0, 1.0, 5.1, 1.1], 30)
    predictor = category(4, Kind.NOMINAL, "x0")
    tree = fit("cart", y, x, predictors=[predictor])
    assert isinstance(tree, Tree)
    exported = export_tree(tree, tree.leaf_donors.donors, number(), [predictor])
    drawn = exported.draw(x, np.random.default_rng(1))
    np.testing.assert_allclose(drawn, y)


def test_shares_of_a_leaf_are_shrunk_towards_its_branch_and_the_root() -> None:
    x = np.repeat([0.0, 1.0], [100, 300])[:, None]
    y = np.repeat([0.0, 1.0], [100, 300])
    _, exported = grow(y, x, category(2, Kind.BINARY))
    assert isinstance(exported.leaves, Shares)
    root = np.array([0.25, 0.75])
    branch = (np.array([100, 0]) + 0.5 * root) / 100.5
    leaf = (np.array([100, 0]) + 0.5 * branch) / 100.5
    np.testing.assert_array_equal(exported.leaves.shares[0], np.round(leaf, 4))


def test_a_small_leaf_borrows_from_thirty_rows_around_it() -> None:
    """Two leaves of 20 and 12 rows share a branch of 32 rows, far from the other 400."""
    x = np.repeat([0.0, 1.0, 10.0], [20, 12, 400])[:, None]
    y = np.repeat([0.0, 1.0, 2.0], [20, 12, 400])
    _, exported = grow(y, x, category(3, Kind.ORDINAL))
    assert isinstance(exported.leaves, Shares)
    counts = np.array([[20, 0, 0], [0, 12, 0]])
    root = np.array([20, 12, 400]) / 432
    branch = (np.array([20, 12, 0]) + 0.5 * root) / 32.5
    expected = (counts + 0.5 * branch) / (counts.sum(axis=1, keepdims=True) + 0.5)
    np.testing.assert_array_equal(exported.leaves.shares[:2], np.round(expected, 4))


def test_a_tree_of_one_leaf_is_a_margin() -> None:
    y = np.random.default_rng(3).standard_normal(300)
    _, exported = grow(y, np.empty((300, 0)))
    drawn = exported.draw(np.empty((20_000, 0)), np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(y.mean(), abs=4 / np.sqrt(20_000))
    assert drawn.std() == pytest.approx(y.std(), rel=0.03)


@pytest.mark.parametrize("minbucket", [1, 2])
def test_leaves_of_fewer_than_three_are_refused(minbucket: int) -> None:
    x = np.random.default_rng(4).standard_normal((50, 1))
    with pytest.raises(PlanError, match=r"of 'y' has leaves of fewer than 3 rows.*minbucket to 3"):
        grow(x[:, 0] ** 2, x, minbucket=minbucket)
    grow(x[:, 0] ** 2, x, minbucket=3)
