"""The design matrix of parametric methods."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.data import Kind
from synth_tasks.engine.design_matrix import Design, expand, polynomial_contrasts
from tests.engine.builders import category, number, numbers, read_fixture

CONTRASTS = read_fixture("r_models.json")["contrasts"]
RNG = np.random.default_rng(1)


@pytest.mark.parametrize("n_levels", range(2, 9))
def test_polynomial_contrasts_equal_those_of_r(n_levels: int) -> None:
    np.testing.assert_allclose(polynomial_contrasts(n_levels), CONTRASTS[n_levels - 2], atol=1e-12)


def test_one_level_has_no_contrast() -> None:
    assert polynomial_contrasts(1).shape == (1, 0)


def test_categories_become_dummies_or_polynomials() -> None:
    x = np.array([[5.0, 0.0, 0.0], [6.0, 2.0, 1.0]])
    variables = [number(), category(3), category(3, Kind.ORDINAL)]
    columns = expand(x, variables)
    np.testing.assert_allclose(columns[:, :3], [[5, 0, 0], [6, 0, 1]])
    np.testing.assert_allclose(columns[:, 3:], polynomial_contrasts(3)[[0, 1]])


def test_no_predictors_make_no_columns() -> None:
    assert expand(np.empty((4, 0)), []).shape == (4, 0)
    assert Design.learn(np.empty((4, 0)), []).with_intercept(np.empty((2, 0))).tolist() == [
        [1],
        [1],
    ]


def test_training_columns_are_standardised() -> None:
    x = RNG.standard_normal((50, 2)) * [1e-6, 1e6] + [5.0, -3.0]
    columns = Design.learn(x, numbers(2)).matrix(x)
    np.testing.assert_allclose(columns.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(columns.std(axis=0), 1)


def test_new_rows_are_standardised_as_the_training_rows() -> None:
    design = Design.learn(np.array([[0.0], [2.0]]), numbers(1))
    assert design.matrix(np.array([[3.0]])).tolist() == [[2.0]]


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 1e12])
def test_columns_that_do_not_vary_or_depend_on_others_are_left_out(scale: float) -> None:
    a, b = RNG.standard_normal((2, 40))
    x = np.column_stack([a, np.full(40, 7.0), 2 * a + 1, b, a - b]) * scale
    design = Design.learn(x, numbers(5))
    assert len(design.kept) == 2
    assert 1 not in design.kept
    full = np.linalg.matrix_rank(np.column_stack([np.ones(40), x / scale]))
    assert np.linalg.matrix_rank(design.with_intercept(x)) == full == 3


def test_nearly_equal_columns_both_stay() -> None:
    a, noise = RNG.standard_normal((2, 40))
    x = np.column_stack([a, a + 1e-4 * noise])
    assert Design.learn(x, numbers(2)).kept.tolist() == [0, 1]


def test_a_small_variation_around_a_large_value_counts() -> None:
    dates = 1.7e15 + np.arange(40) * 1e7
    assert Design.learn(dates[:, None], numbers(1)).kept.tolist() == [0]


def test_levels_that_do_not_occur_are_left_out() -> None:
    x = RNG.integers(0, 2, size=(40, 1)) * 2.0
    assert Design.learn(x, [category(4)]).kept.tolist() == [1]
    assert len(Design.learn(x, [category(4, Kind.ORDINAL)]).kept) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 3), st.integers(0, 2**32))
def test_the_design_has_full_rank_and_spans_the_predictors(
    n_rows: int, n_columns: int, n_levels: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = np.column_stack(
        [rng.integers(-2, 3, size=(n_rows, n_columns)), rng.integers(0, n_levels + 1, n_rows)]
    ).astype(float)
    variables = [*numbers(n_columns), category(n_levels + 1)]
    columns = Design.learn(x, variables).with_intercept(x)
    everything = np.column_stack([np.ones(n_rows), expand(x, variables)])
    assert np.linalg.matrix_rank(columns) == columns.shape[1]
    assert columns.shape[1] == np.linalg.matrix_rank(everything)
