import numpy as np
import pytest
from sklearn.metrics import r2_score

from synth_tasks.data import Kind, Variable
from synth_tasks.disclosure.forest import KeyColumns, grow_forest
from synth_tasks.seeding import generator

X = Variable("x", Kind.NUMERIC, "float64")
C = Variable("c", Kind.NOMINAL, "category", tuple("abcd"))


def grow(keys, target, variables, n_classes=0, **options):
    return grow_forest(
        keys, target, variables, n_classes=n_classes, rng=generator(1, "forest"), **options
    )


def test_a_curve_is_learned():
    rng = np.random.default_rng(1)
    keys = rng.uniform(-3, 3, size=(2000, 1))
    target = np.sin(keys[:, 0]) + 0.1 * rng.normal(size=2000)
    grid = np.linspace(-2.8, 2.8, 200)[:, None]
    assert r2_score(np.sin(grid[:, 0]), grow(keys, target, [X]).predict(grid)) > 0.98


def test_classes_are_learned_from_categories_and_missing_values():
    rng = np.random.default_rng(2)
    keys = np.column_stack([rng.integers(0, 4, 600), rng.normal(size=600)]).astype(float)
    keys[rng.random(600) < 0.2, 0] = np.nan
    keys[rng.random(600) < 0.2, 1] = np.nan
    target = np.where(np.isnan(keys[:, 0]), 2.0, (np.nan_to_num(keys[:, 1], nan=9.0) > 0) * 1.0)
    forest = grow(keys, target, [C, X], 3)
    assert np.mean(forest.predict(keys) == target) > 0.99
    fresh = np.array([[np.nan, -1.0], [3.0, np.nan], [1.0, -2.0], [2.0, 2.0]])
    assert forest.predict(fresh).tolist() == [2, 1, 0, 1]


def test_a_value_that_most_share_is_found_exactly():
    rng = np.random.default_rng(3)
    keys = rng.normal(size=(1000, 1))
    target = np.where(rng.random(1000) < 0.85, 40.0, rng.uniform(0, 80, 1000))
    assert np.mean(grow(keys, target, [X]).predict(rng.normal(size=(300, 1))) == 40) > 0.9


@pytest.mark.parametrize("n_classes", [0, 2])
def test_a_single_row_is_all_there_is(n_classes):
    forest = grow(np.array([[np.nan]]), np.array([1.0]), [X], n_classes)
    assert forest.predict(np.array([[5.0], [np.nan]])).tolist() == [1, 1]


def test_threads_change_nothing():
    rng = np.random.default_rng(4)
    keys, target = rng.normal(size=(500, 1)), rng.normal(size=500)
    alone, together = grow(keys, target, [X]), grow(keys, target, [X], workers=3)
    assert alone.predict(keys).tobytes() == together.predict(keys).tobytes()


def test_very_many_categories_count_as_numbers():
    many = Variable("m", Kind.NOMINAL, "category", tuple(str(i) for i in range(1000)))
    keys = np.array([[3.0], [np.nan], [8.0]])
    columns = KeyColumns.learn(keys, [many])
    assert columns.variables[0].kind is Kind.NUMERIC
    filled = columns.fill(keys)[:, 0]
    assert filled[1] < filled[0] < filled[2]
