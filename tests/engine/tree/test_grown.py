"""Drawing from a grown tree."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from synth_tasks.engine.tree import LEAF
from tests.engine.builders import category, number
from tests.engine.tree.growing import grow

RNG = np.random.default_rng


def test_every_donor_of_a_leaf_is_as_likely() -> None:
    x = np.repeat([0.0, 1.0], [10, 50])[:, None]
    tree = grow(np.arange(60.0), x, maxdepth=1)
    drawn = tree.draw(np.zeros((20_000, 1)), RNG(1))
    share = np.bincount(drawn.astype(int), minlength=60) / 20_000
    assert (share[10:] == 0).all()
    assert np.abs(share[:10] - 0.1).max() < 4.5 * np.sqrt(0.09 / 20_000)


def test_draws_do_not_depend_on_how_rows_are_laid_out() -> None:
    x = RNG(2).standard_normal((500, 4))
    tree = grow(x @ [1, 2, 0, -1], x)
    frozen = np.asfortranarray(x)
    frozen.flags.writeable = False
    wide = np.asfortranarray(np.column_stack([x, x]))
    drawn = {
        tree.draw(form, RNG(3)).tobytes()
        for form in (x, np.asfortranarray(x), frozen, wide[:, :4], x[::1], np.repeat(x, 2, 0)[::2])
    }
    assert len(drawn) == 1
    assert frozen.flags.writeable is False


@pytest.mark.parametrize("n_rows", [0, 1, 15, 16, 17, 100])
def test_each_row_finds_the_leaf_it_finds_alone(n_rows: int) -> None:
    x = np.column_stack([RNG(4).standard_normal(100), RNG(8).integers(0, 9, 100)])
    tree = grow(x[:, 0] ** 3 + x[:, 1] % 2, x, [number(), category(9)], minbucket=1)
    alone = [int(tree.leaves(row[None])[0]) for row in x]
    assert tree.leaves(x[:n_rows]).tolist() == alone[:n_rows]
    assert len(tree.draw(x[:n_rows], RNG(5))) == n_rows


def test_a_single_leaf_asks_nothing() -> None:
    tree = grow(np.zeros(30), RNG(9).standard_normal((30, 1)))
    assert tree.leaves(np.empty((20, 0))).tolist() == [0] * 20


def test_the_largest_uniform_number_still_finds_a_donor() -> None:
    class Ones:
        def random(self, size: int) -> np.ndarray:
            return np.full(size, np.nextafter(1.0, 0.0))

    x = np.zeros((7, 1))
    drawn = grow(np.arange(7.0), x).draw(x, Ones())  # type: ignore[arg-type]
    assert (drawn == 6.0).all()


def test_the_left_child_is_the_next_node_and_leaves_follow_each_other() -> None:
    x = np.column_stack([RNG(6).standard_normal(400), RNG(7).integers(0, 9, 400)])
    tree = grow(x[:, 0] + x[:, 1] % 2, x, [number(), category(9)])
    asked, donors = tree.questions, tree.leaf_donors
    inner = np.flatnonzero(asked.feature != LEAF)
    assert (asked.right[inner] > inner + 1).all()
    children = np.sort(np.concatenate([inner + 1, asked.right[inner]]))
    np.testing.assert_array_equal(children, np.arange(1, len(asked.feature)))
    leaves = np.flatnonzero(asked.feature == LEAF)
    np.testing.assert_array_equal(
        donors.start[leaves], np.cumsum(donors.size[leaves]) - donors.size[leaves]
    )


@pytest.mark.parametrize("categorical", [False, True])
def test_a_stored_tree_draws_the_same(categorical: bool) -> None:
    x = np.column_stack([RNG(8).standard_normal(200), RNG(9).integers(0, 5, 200)])
    y = np.rint(x[:, 0]).clip(0, 2)
    tree = grow(y, x, [number(), category(5)], categorical)
    stored = pickle.loads(pickle.dumps(tree))  # noqa: S301
    assert stored.draw(x, RNG(10)).tobytes() == tree.draw(x, RNG(10)).tobytes()
