"""Pseudo-rows that keep categorical models estimable."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.engine.augment import augment
from tests.engine.builders import read_fixture

R = read_fixture("r_models.json")


def rows(codes: np.ndarray, columns: np.ndarray) -> np.ndarray:
    table = np.column_stack([codes, columns])
    return table[np.lexsort(table.T[::-1])]


def test_the_pseudo_rows_are_those_of_mice() -> None:
    x, y = np.array(R["x"]), np.array(R["three"]) - 1
    codes, columns, weights = augment(y, x, 3)
    expected = rows(np.array(R["augment"]["codes"]) - 1, np.array(R["augment"]["pseudo"]))
    np.testing.assert_allclose(rows(codes[60:], columns[60:]), expected, rtol=1e-12)
    np.testing.assert_allclose(weights[60:], R["augment"]["weight"])


def test_the_data_come_first_with_full_weight() -> None:
    x, y = np.array(R["x"]), np.array(R["three"]) - 1
    codes, columns, weights = augment(y, x, 3)
    np.testing.assert_array_equal(codes[:60], y)
    np.testing.assert_array_equal(columns[:60], x)
    assert (weights[:60] == 1).all()


@pytest.mark.parametrize(("n_columns", "n_levels"), [(1, 2), (3, 4)])
def test_the_pseudo_rows_weigh_one_more_than_the_columns(n_columns: int, n_levels: int) -> None:
    x = np.random.default_rng(1).standard_normal((20, n_columns))
    codes, _, weights = augment(np.arange(20) % n_levels, x, n_levels)
    assert len(codes) == 20 + 2 * n_columns * n_levels
    assert weights[20:].sum() == pytest.approx(n_columns + 1)
    assert (np.bincount(codes[20:], minlength=n_levels) == 2 * n_columns).all()


def test_pseudo_rows_stay_within_the_range_of_the_data() -> None:
    rare = np.zeros((20, 1))
    rare[0] = 1.0
    _, columns, _ = augment(np.arange(20) % 2, rare, 2)
    assert columns.min() == 0.0
    assert columns.max() == 1.0
    assert (columns[20:] >= 0).all()


def test_without_columns_nothing_is_added() -> None:
    codes, columns, weights = augment(np.array([0, 1]), np.empty((2, 0)), 2)
    assert codes.tolist() == [0, 1]
    assert columns.shape == (2, 0)
    assert weights.tolist() == [1, 1]


def test_a_single_row_is_enough() -> None:
    codes, columns, weights = augment(np.array([0]), np.array([[3.0]]), 2)
    assert np.isfinite(columns).all()
    assert len(codes) == len(weights) == 5
