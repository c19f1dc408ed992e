"""Growing trees: which splits are made, and where growth stops."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from synth_tasks.data import Kind, Variable
from synth_tasks.engine.tree import Sample, SortedColumns, grow_tree
from synth_tasks.errors import PlanError
from tests.engine.builders import category, number, numbers
from tests.engine.tree.growing import admissible_gains, grow, impurity, split_of

RNG = np.random.default_rng


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = pd.DataFrame({"a": a, "b": b}).drop_duplicates()
    return bool(pairs["a"].is_unique and pairs["b"].is_unique)


# --- leaves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_classification_leaves_are_those_of_scikit_learn(seed: int) -> None:
    x = RNG(seed).standard_normal((300, 3))
    y = np.digitize(x[:, 0] + RNG(seed + 100).standard_normal(300), [-1, 1])
    shares = np.bincount(y) / 300
    plain = DecisionTreeClassifier(
        min_samples_leaf=5,
        min_samples_split=15,
        min_impurity_decrease=0.01 * (1 - (shares**2).sum()),  # deeper splits often tie
        random_state=0,
    ).fit(x, y)
    leaves = grow(y, x, categorical=True, cp=0.01).leaves(x)
    assert same_partition(leaves, plain.apply(x))
    assert len(np.unique(leaves)) > 5


def test_draws_come_from_the_leaf_of_the_row() -> None:
    x = RNG(1).standard_normal((400, 3))
    y = np.arange(400.0)  # tells whose value was drawn
    tree = grow(y, x)
    new = RNG(2).standard_normal((2000, 3))
    donors = tree.draw(new, RNG(3)).astype(int)
    np.testing.assert_array_equal(tree.leaves(x)[donors], tree.leaves(new))


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


def test_neighbours_in_double_precision_are_told_apart() -> None:
    """Between them lies no number that could be a threshold; the lower one serves."""
    x = np.repeat([1.0, np.nextafter(1.0, 2.0)], 10)[:, None]
    y = np.repeat([0.0, 5.0], 10)
    tree = grow(y, x)
    assert tree.questions.threshold[0] == 1.0
    np.testing.assert_array_equal(tree.draw(x, RNG(0)), y)


def test_a_threshold_lies_half_way_between_two_values() -> None:
    x = np.repeat([-1e150, 2e150, 1.5e150], 10)[:, None]
    tree = grow(np.repeat([0.0, 5.0, 5.0], 10), x)
    assert tree.questions.threshold[0] == pytest.approx(2.5e149)


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


def test_a_numeric_category_code_is_no_number() -> None:
    # As a number, code 1 of three would always lie between the others.
    x = RNG(31).integers(0, 3, size=(300, 1)).astype(float)
    y = (x[:, 0] == 1) * 5.0
    assert same_partition(grow(y, x, [category(3)], maxdepth=1).leaves(x), x[:, 0] == 1)
    assert not same_partition(grow(y, x, [number()], maxdepth=1).leaves(x), x[:, 0] == 1)


# --- the best of all splits -----------------------------------------------------------------------


@given(
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.integers(2, 60),
    n_values=st.integers(2, 30),
    categorical=st.booleans(),
    weighted=st.booleans(),
    minbucket=st.integers(1, 6),
)
@settings(max_examples=150, deadline=None)
def test_every_split_is_the_best_of_all(
    seed: int, n_rows: int, n_values: int, categorical: bool, weighted: bool, minbucket: int
) -> None:
    """Checked by trying all others; ties are many, since values are few.

    Groupings of levels are tried only if leaves may have any size: else the best one need not be among
    those in the order of the mean response.
    """
    rng = RNG(seed)
    x = rng.integers(0, n_values, size=(n_rows, 3)).astype(float)
    x[:, 2] %= 5
    y = np.rint(x[:, 0] / n_values * 2 + rng.standard_normal(n_rows))
    if categorical:
        y = np.clip(y, 0, 1)  # two classes, for which the order of levels is exact
    counts = rng.integers(0, 4, size=n_rows) if weighted else np.ones(n_rows, dtype=int)
    assume(counts.any())
    predictors = [number("a"), category(n_values, Kind.ORDINAL, "b"), category(5, name="c")]
    cp = 1e-3
    tree = grow(y, x, predictors, categorical, minbucket, cp, counts=counts if weighted else None)
    used = counts > 0
    x, y, counts = x[used], y[used], counts[used]
    response = np.eye(2)[y.astype(int)] if categorical else y[:, None]
    least = cp * impurity(response, counts)
    for node, rows in split_of(tree, x).items():
        tried = predictors if minbucket == 1 else predictors[:2]
        gains = admissible_gains(response[rows], x[rows], counts[rows], tried, minbucket)
        best = max(gains, default=0.0)
        if tree.questions.feature[node] < 0:
            too_small = counts[rows].sum() < 3 * minbucket
            assert too_small or best <= least * (1 + 1e-9) + 1e-9
            continue
        left = np.isin(rows, split_of(tree, x)[node + 1])
        gained = impurity(response[rows], counts[rows]) - sum(
            impurity(response[rows][part], counts[rows][part]) for part in (left, ~left)
        )
        assert gained >= best * (1 - 1e-9) - 1e-9
        if tree.questions.feature[node] < len(tried):
            assert gained == pytest.approx(best, rel=1e-9, abs=1e-9)
        assert gained >= least * (1 - 1e-9)
        assert min(counts[rows][left].sum(), counts[rows][~left].sum()) >= minbucket


@given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(20, 400), minbucket=st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_without_ties_all_splits_are_those_of_scikit_learn(
    seed: int, n_rows: int, minbucket: int
) -> None:
    rng = RNG(seed)
    x = rng.standard_normal((n_rows, 4))
    y = np.sin(2 * x[:, 0]) * x[:, 1] + 0.3 * rng.standard_normal(n_rows)
    plain = DecisionTreeRegressor(
        min_samples_leaf=minbucket,
        min_samples_split=max(2, 3 * minbucket),
        min_impurity_decrease=1e-6 * y.var(),
    ).fit(x, y)
    leaves = grow(y, x, minbucket=minbucket, cp=1e-6).leaves(x)
    assert same_partition(leaves, plain.apply(x))


@pytest.mark.parametrize("categorical", [False, True])
def test_the_same_impurity_is_removed_as_by_scikit_learn_where_several_splits_tie(
    categorical: bool,
) -> None:
    for seed in range(20):
        x = RNG(seed).integers(0, 8, size=(200, 5)).astype(float)
        y = (x[:, 0] + RNG(seed + 50).integers(0, 4, size=200) > 6).astype(float)
        kind = DecisionTreeClassifier if categorical else DecisionTreeRegressor
        stump = kind(max_depth=1, min_samples_leaf=5, random_state=seed).fit(x, y)
        response = np.eye(2)[y.astype(int)] if categorical else y[:, None]

        def removed(leaves: np.ndarray, response: np.ndarray = response) -> float:
            return sum(impurity(response[leaves == leaf]) for leaf in np.unique(leaves))

        ours = grow(y, x, categorical=categorical, maxdepth=1).leaves(x)
        assert removed(ours) == pytest.approx(removed(stump.apply(x)), rel=1e-12)


# --- selections of rows ---------------------------------------------------------------------------


def test_counts_are_rows_that_are_there_several_times() -> None:
    x = RNG(40).standard_normal((300, 3))
    y = x[:, 0] + RNG(41).standard_normal(300)
    counts = np.bincount(RNG(42).integers(300, size=300), minlength=300)
    weighted = grow(y, x, counts=counts)
    repeated = grow(np.repeat(y, counts), np.repeat(x, counts, axis=0))
    for name in ("feature", "threshold", "right"):
        np.testing.assert_array_equal(
            getattr(weighted.questions, name), getattr(repeated.questions, name)
        )
    np.testing.assert_array_equal(weighted.leaf_donors.donors, repeated.leaf_donors.donors)
    np.testing.assert_array_equal(weighted.leaf_donors.size, repeated.leaf_donors.size)
    drawn = [tree.draw(x, RNG(43)).tobytes() for tree in (weighted, repeated)]
    assert drawn[0] == drawn[1]


def test_some_rows_and_columns_of_a_sorted_table_need_no_new_sort() -> None:
    x = np.round(RNG(44).standard_normal((400, 5)), 1)
    y = x[:, 3] + x[:, 1] ** 2 + RNG(45).standard_normal(400)
    chosen = RNG(46).random(400) < 0.6
    columns = SortedColumns(x, numbers(5))
    settings = {"categorical": False, "minbucket": 5, "minsplit": 15, "maxdepth": 9, "cp": 0.0}
    shared = grow_tree(y[chosen], Sample.of_rows(columns, [3, 1], chosen), **settings)
    alone = grow_tree(y[chosen], Sample.of(x[chosen][:, [3, 1]], numbers(2)), **settings)
    np.testing.assert_array_equal(shared.questions.threshold, alone.questions.threshold)
    np.testing.assert_array_equal(shared.leaf_donors.donors, alone.leaf_donors.donors)


def test_a_bootstrap_sample_is_taken_by_its_row_numbers() -> None:
    columns = SortedColumns(np.arange(10.0)[:, None], numbers(1))
    sample = Sample.of_rows(columns, [0], np.array([7, 2, 7, 7, 0]))
    assert sample.rows is not None
    assert sample.counts is not None
    assert (sample.rows.tolist(), sample.counts.tolist()) == ([0, 2, 7], [1, 1, 3])
    part = sample.only(np.array([True, False, True]))
    assert part.rows is not None
    assert part.counts is not None
    assert (part.rows.tolist(), part.counts.tolist()) == ([0, 7], [1, 3])


def test_trees_grown_at_the_same_time_are_the_same() -> None:
    x = RNG(47).standard_normal((2000, 6))
    y = x[:, 0] * x[:, 1] + RNG(48).standard_normal(2000)
    columns = SortedColumns(x, numbers(6))
    settings = {"categorical": False, "minbucket": 5, "minsplit": 15, "maxdepth": 30, "cp": 1e-8}

    def grown(_: int) -> bytes:
        return grow_tree(y, Sample(columns, range(6)), **settings).draw(x, RNG(49)).tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(grown, range(12)))) == 1


def test_too_many_levels_and_classes_are_refused_before_memory_runs_out() -> None:
    x = np.zeros((20, 1))
    y = np.array([0.0, 99_999.0] * 10)
    with pytest.raises(PlanError, match="'y' has 100000 categories, too many to predict 100000"):
        grow(y, x, [category(100_000)], categorical=True)


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ([1.0, np.nan, 2.0, 3.0], number("v")),
        ([1.0, np.nan, 0.0, 0.0], category(2, Kind.ORDINAL, "v")),
        ([1.0, 2.0, 0.0, 0.0], category(2, name="v")),
        ([1.0, -1.0, 0.0, 0.0], category(2, name="v")),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(values: list[float], variable: Variable) -> None:
    x = np.array(values * 10)[:, None]
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(PlanError, match="'v' has missing values, or"),
    ):
        grow(np.arange(40.0), x, [variable])
    learnable = np.isin(x[:, 0], [0.0, 1.0])
    grow(np.arange(40.0), x, [variable], counts=learnable.astype(int))
