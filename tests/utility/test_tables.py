"""S_pMSE against its definition by propensity scores, and its null values by simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from synth_tasks.seeding import generator
from synth_tasks.utility.tables import cross_tabulate, spmse

COUNTS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12)


def spmse_by_propensity(real, synthetic):
    """S_pMSE from the fitted score of every row of the stacked tables."""
    rows = pd.DataFrame(
        {
            "cell": np.concatenate(
                [np.repeat(range(len(real)), real), np.repeat(range(len(real)), synthetic)]
            ),
            "is_synthetic": np.repeat([0, 1], [sum(real), sum(synthetic)]),
        }
    )
    score = rows.groupby("cell")["is_synthetic"].transform("mean")
    c, n_rows = rows["is_synthetic"].mean(), len(rows)
    df = rows["cell"].nunique() - 1
    return ((score - c) ** 2).mean() / (df * (1 - c) ** 2 * c / n_rows)


@given(COUNTS)
def test_equals_the_definition_by_propensity_scores(counts):
    real, synthetic = map(np.array, zip(*counts, strict=True))
    if real.sum() == 0 or synthetic.sum() == 0:
        return
    value = spmse(real, synthetic)
    assert np.isfinite(value)
    assert value >= 0
    if (real + synthetic > 0).sum() > 1:
        assert value == pytest.approx(spmse_by_propensity(real, synthetic), abs=1e-12)
    else:
        assert value == 1


def test_equals_the_mean_squared_error_of_a_logistic_regression():
    real, synthetic = np.array([40, 25, 10, 25]), np.array([20, 30, 5, 5])
    cell = np.concatenate([np.repeat(range(4), real), np.repeat(range(4), synthetic)])
    is_synthetic = np.repeat([0, 1], [100, 60])
    dummies = np.eye(4)[cell][:, 1:]
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(dummies, is_synthetic)
    c = 60 / 160
    pmse = np.mean((model.predict_proba(dummies)[:, 1] - c) ** 2)
    assert spmse(real, synthetic) == pytest.approx(pmse / (3 * (1 - c) ** 2 * c / 160), rel=1e-6)


def test_by_hand():
    # c = 1/2, so each cell adds 10² / (50 / 2); one degree of freedom.
    assert spmse(np.array([30, 20]), np.array([20, 30])) == pytest.approx(8.0)


def test_a_copy_has_no_error_and_one_cell_says_nothing():
    assert spmse(np.array([3, 5, 0]), np.array([3, 5, 0])) == 0
    assert spmse(np.array([0, 7]), np.array([0, 9])) == 1


@pytest.mark.parametrize("size", [1000, 400, 2500])
def test_null_value_is_one_for_rows_drawn_from_the_real_table(size):
    rng = generator(1, "plug-in", size)
    real = rng.multinomial(1000, [0.4, 0.3, 0.2, 0.1])
    draws = rng.multinomial(size, real / 1000, size=2000)
    values = np.array([spmse(real, draw) for draw in draws])
    assert abs(values.mean() - 1) < 4 * values.std() / np.sqrt(len(values)) + 0.01


def test_null_value_is_two_for_another_real_sample():
    rng = generator(1, "other sample")
    samples = rng.multinomial(1000, [0.4, 0.3, 0.2, 0.1], size=(2000, 2))
    values = np.array([spmse(real, other) for real, other in samples])
    assert abs(values.mean() - 2) < 4 * values.std() / np.sqrt(len(values)) + 0.01


def test_sparse_tables_are_counted_without_their_empty_cells():
    cells = np.array([0, 999, 999]), np.array([0, 999, 500])
    others = np.array([0, 7]), np.array([0, 7])
    real, synthetic = cross_tabulate(cells, others, (1000, 1000))
    assert real.tolist() == [1, 0, 1, 1]
    assert synthetic.tolist() == [1, 1, 0, 0]


def test_dense_and_sparse_counting_agree():
    rng = generator(2, "cells")
    cells = rng.integers(0, 6, (2, 40)), rng.integers(0, 6, (2, 25))
    dense = cross_tabulate(*cells, (6, 6))
    sparse = cross_tabulate(*cells, (600, 600))
    assert len(dense[0]) == 36
    assert spmse(*dense) == pytest.approx(spmse(*sparse))


def test_for_one_difference_of_shares_many_rows_give_what_some_thousand_give():
    real, synthetic = np.array([5200, 4800]), np.array([5000, 5000])
    few = spmse(real, synthetic)
    assert few > 2
    for factor in (10, 1000):
        many = spmse(factor * real, factor * synthetic)
        # What chance adds, 1, is not multiplied; the rest is the same.
        assert many == pytest.approx(few, abs=1.0)


def test_copied_rows_stay_visible_in_large_tables():
    counts = np.array([500_000, 700_000])
    assert spmse(counts, counts) == 0
