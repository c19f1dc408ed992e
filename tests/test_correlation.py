"""Sums over pairs of columns, against pandas and against a loop."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.data import correlation
from synth_tasks.data.correlation import PairSums


def with_holes(seed: int, n_rows: int = 60, n_columns: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n_rows, n_columns)) @ rng.normal(size=(n_columns, n_columns))
    matrix = 1e3 + matrix * [1, 10, 100, 1e-3, 1][:n_columns]
    matrix[rng.random(matrix.shape) < 0.2] = np.nan
    return matrix


@given(st.integers(0, 200))
def test_correlations_are_those_of_pandas(seed: int) -> None:
    matrix = with_holes(seed)
    expected = pd.DataFrame(matrix).corr().to_numpy()
    np.testing.assert_allclose(PairSums.of(matrix).correlations, expected, atol=1e-8)


def test_correlations_with_the_indicator_are_those_of_a_loop() -> None:
    matrix = with_holes(3)
    matrix[:, 4] = 1.5  # is always there and does not vary
    found = PairSums.of(matrix).with_observed
    for i in range(5):
        rows = ~np.isnan(matrix[:, i])
        for j in range(5):
            there = (~np.isnan(matrix[rows, j])).astype(float)
            varies = there.std() > 0 and matrix[rows, i].std() > 0
            expected = np.corrcoef(matrix[rows, i], there)[0, 1] if varies else 0.0
            assert found[i, j] == pytest.approx(expected, abs=1e-8)


def test_blocks_of_rows_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = with_holes(1)
    whole = PairSums.of(matrix)
    monkeypatch.setattr(correlation, "BLOCK_CELLS", 35)
    np.testing.assert_allclose(PairSums.of(matrix).correlations, whole.correlations, atol=1e-12)
    np.testing.assert_array_equal(PairSums.of(matrix).counts, whole.counts)


def test_a_column_that_does_not_vary_correlates_with_nothing() -> None:
    matrix = np.column_stack([np.full(9, 0.1), np.arange(9.0), np.full(9, np.nan)])
    assert not PairSums.of(matrix).correlations[[0, 2]].any()
