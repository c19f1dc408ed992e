"""Trees whose leaves hold donors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from synth_tasks.data import Kind, Variable
from synth_tasks.engine.tree import LeafDonors, Tree, grow_tree
from tests.engine.builders import category, number, numbers

RNG = np.random.default_rng


def grow(
    y: np.ndarray,
    x: np.ndarray,
    predictors: Sequence[Variable] | None = None,
    categorical: bool = False,
    minbucket: int = 5,
    cp: float = 1e-8,
    **limits: int,
) -> Tree:
    return grow_tree(
        np.asarray(y, dtype=float),
        np.asarray(x, dtype=float),
        predictors or numbers(x.shape[1]),
        categorical=categorical,
        minbucket=minbucket,
        minsplit=limits.get("minsplit", 3 * minbucket),
        maxdepth=limits.get("maxdepth", 30),
        cp=cp,
    )


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = pd.DataFrame({"a": a, "b": b}).drop_duplicates()
    return bool(pairs["a"].is_unique and pairs["b"].is_unique)


# --- leaves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_regression_leaves_are_those_of_scikit_learn(seed: int) -> None:
    x = RNG(seed).standard_normal((300, 4))
    y = x[:, 0] ** 2 + x[:, 1] + 0.3 * RNG(seed + 100).standard_normal(300)
    plain = DecisionTreeRegressor(
        min_samples_leaf=5, min_samples_split=15, min_impurity_decrease=1e-3 * y.var()
    ).fit(x, y)
    leaves = grow(y, x, cp=1e-3).leaves(x)
    assert same_partition(leaves, plain.apply(x))
    assert len(np.unique(leaves)) > 5


@pytest.mark.parametrize("seed", range(5))
def test_classification_leaves_are_those_of_scikit_learn(seed: int) -> None:
    x = RNG(seed).standard_normal((300, 3))
    y = np.digitize(x[:, 0] + RNG(seed + 100).standard_normal(300), [-1, 1])
    shares = np.bincount(y) / 300
    plain = DecisionTreeClassifier(
        min_samples_leaf=5,
        min_samples_split=15,
        min_impurity_decrease=1e-3 * (1 - (shares**2).sum()),
        random_state=0,  # several splits are equally good
    ).fit(x, y)
    assert same_partition(grow(y, x, categorical=True, cp=1e-3).leaves(x), plain.apply(x))


def test_draws_come_from_the_leaf_of_the_row() -> None:
    x = RNG(1).standard_normal((400, 3))
    y = np.arange(400.0)  # tells whose value was drawn
    tree = grow(y, x)
    new = RNG(2).standard_normal((2000, 3))
    donors = tree.draw(new, RNG(3)).astype(int)
    np.testing.assert_array_equal(tree.leaves(x)[donors], tree.leaves(new))


def test_every_donor_of_a_leaf_is_as_likely() -> None:
    donors = LeafDonors.collect(
        np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2, 0, 2, 0, 2]), n_nodes=3
    )
    assert donors.size.tolist() == [2, 0, 3]
    drawn = donors.draw(np.full(30_000, 2), RNG(4))
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [1.0, 3.0, 5.0]
    assert np.abs(counts / 30_000 - 1 / 3).max() < 4.5 * np.sqrt(2 / 9 / 30_000)
    assert set(donors.draw(np.zeros(100, dtype=int), RNG(5))) == {2.0, 4.0}


def test_a_leaf_of_one_gives_its_value() -> None:
    # R's sample(x, 1) would draw from 1:x.
    x = np.arange(20.0)[:, None]
    y = np.arange(20.0) * 10
    tree = grow(y, x, minbucket=1, cp=0.0, minsplit=2)
    np.testing.assert_array_equal(tree.draw(x, RNG(6)), y)


@pytest.mark.parametrize("minbucket", [1, 3, 10, 50])
@pytest.mark.parametrize("categorical", [False, True])
def test_no_leaf_is_smaller_than_minbucket(minbucket: int, categorical: bool) -> None:
    x = RNG(7).standard_normal((500, 3))
    y = np.digitize(x[:, 0], [0]) if categorical else x[:, 0] + RNG(8).standard_normal(500)
    tree = grow(y, x, categorical=categorical, minbucket=minbucket)
    sizes = np.unique(tree.leaves(x), return_counts=True)[1]
    assert sizes.min() >= minbucket
    np.testing.assert_array_equal(tree.leaf_donors.size[np.unique(tree.leaves(x))], sizes)


def test_minsplit_and_maxdepth_stop_the_growth() -> None:
    x = RNG(9).standard_normal((500, 2))
    y = x[:, 0] + RNG(10).standard_normal(500)
    assert len(np.unique(grow(y, x, maxdepth=1).leaves(x))) == 2
    assert len(np.unique(grow(y, x, minsplit=501).leaves(x))) == 1
    assert len(np.unique(grow(y, x, minsplit=500).leaves(x))) == 2


def test_cp_is_relative_to_the_root() -> None:
    x = RNG(11).standard_normal((500, 2))
    y = x[:, 0] + RNG(12).standard_normal(500)
    leaves = [len(np.unique(grow(y * unit, x, cp=0.01).leaves(x))) for unit in (1e-6, 1.0, 1e6)]
    assert leaves[0] == leaves[1] == leaves[2] > 1
    assert len(np.unique(grow(y, x, cp=1.0).leaves(x))) == 1


@pytest.mark.parametrize(
    ("y", "x"),
    [
        (np.full(50, 3.0), RNG(13).standard_normal((50, 2))),
        (np.arange(50.0), np.empty((50, 0))),
        (np.arange(4.0), np.arange(4.0)[:, None]),
        (np.arange(50.0), np.ones((50, 2))),
        (np.array([5.0]), np.array([[1.0]])),
    ],
)
def test_a_tree_may_have_a_root_only(y: np.ndarray, x: np.ndarray) -> None:
    tree = grow(y, x, numbers(x.shape[1]))
    assert len(np.unique(tree.leaves(x))) == 1
    drawn = tree.draw(np.repeat(x[:1], 2000, axis=0), RNG(14))
    assert set(drawn) == set(y)


# --- predictors -----------------------------------------------------------------------------------


def test_units_of_a_predictor_do_not_matter() -> None:
    x = RNG(15).standard_normal((300, 2))
    y = x[:, 0] + x[:, 1] + RNG(16).standard_normal(300)
    moved = x * [1e-12, 1e12] + [3.0, 5e12]
    assert same_partition(grow(y, x).leaves(x), grow(y, moved).leaves(moved))


def test_dates_do_not_collapse_in_single_precision() -> None:
    seconds = 1.6e9 + np.arange(1000.0)
    assert len(np.unique(seconds.astype(np.float32))) < 20
    y = (np.arange(1000) >= 503).astype(float)
    x = seconds[:, None]
    tree = grow(y, x, [Variable("t", Kind.DATETIME, "datetime64[s]", time_step=1_000_000)])
    np.testing.assert_array_equal(tree.draw(x, RNG(17)), y)


def split_gain(y: np.ndarray, left: np.ndarray) -> float:
    """Impurity removed by a split, of one response a column."""
    total = ((y - y.mean(axis=0)) ** 2).sum()
    return total - sum(((part - part.mean(axis=0)) ** 2).sum() for part in (y[left], y[~left]))


@pytest.mark.parametrize("n_classes", [0, 2])
def test_levels_of_a_nominal_predictor_are_grouped_at_best(n_classes: int) -> None:
    codes = RNG(18).integers(0, 7, size=400)
    centers = RNG(19).standard_normal(7)
    y = centers[codes] + RNG(20).standard_normal(400)
    if n_classes:
        y = (y > 0).astype(float)
    tree = grow(
        y, codes[:, None], [category(7)], categorical=bool(n_classes), minbucket=1, maxdepth=1
    )
    found = split_gain(y[:, None], tree.leaves(codes[:, None].astype(float)) == 1)
    best = max(
        split_gain(y[:, None], np.isin(codes, group))
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
    assert same_partition(leaves, codes % 2)


def test_a_nominal_predictor_may_have_very_many_levels() -> None:
    codes = RNG(23).integers(0, 1000, size=20_000)
    y = (codes % 3 == 0) * 10.0 + RNG(24).standard_normal(20_000)
    x = codes[:, None].astype(float)
    leaves = grow(y, x, [category(1000)], maxdepth=1).leaves(x)
    assert same_partition(leaves, codes % 3 == 0)


def test_a_level_that_was_not_trained_on_still_gets_a_donor() -> None:
    x = RNG(25).integers(0, 3, size=(200, 1)).astype(float)
    y = x[:, 0] * 10
    drawn = grow(y, x, [category(5)]).draw(np.array([[4.0], [3.0]]), RNG(26))
    assert np.isin(drawn, y).all()


def test_ordered_levels_are_split_in_order() -> None:
    x = RNG(27).integers(0, 4, size=(400, 1)).astype(float)
    y = np.isin(x[:, 0], [0, 3]) * 10.0 + RNG(28).standard_normal(400)
    ordered = grow(y, x, [category(4, Kind.ORDINAL)], maxdepth=1).leaves(x)
    nominal = grow(y, x, [category(4)], maxdepth=1).leaves(x)
    assert not same_partition(ordered, np.isin(x[:, 0], [0, 3]))
    assert same_partition(nominal, np.isin(x[:, 0], [0, 3]))


def test_a_tree_is_the_same_every_time() -> None:
    x = np.repeat(RNG(29).standard_normal((200, 1)), 2, axis=1)  # both split equally well
    y = x[:, 0] + RNG(30).standard_normal(200)
    np.testing.assert_array_equal(grow(y, x).leaves(x), grow(y, x).leaves(x))
    assert grow(y, x).columns.matrix(x).dtype == np.float32


def test_a_numeric_category_code_is_no_number() -> None:
    # As a number, code 1 of three would always lie between the others.
    x = RNG(31).integers(0, 3, size=(300, 1)).astype(float)
    y = (x[:, 0] == 1) * 5.0
    assert same_partition(grow(y, x, [category(3)], maxdepth=1).leaves(x), x[:, 0] == 1)
    assert not same_partition(grow(y, x, [number()], maxdepth=1).leaves(x), x[:, 0] == 1)
