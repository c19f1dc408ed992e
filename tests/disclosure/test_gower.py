import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.data import Kind, Schema, Variable, infer_schema
from synth_tasks.disclosure.gower import scale_pair
from synth_tasks.disclosure.neighbours import own_distances
from synth_tasks.utility.pair import TablePair

SCHEMA = Schema(
    (
        Variable("number", Kind.NUMERIC, "float64"),
        Variable("stage", Kind.ORDINAL, "category", tuple("abcd")),
        Variable("place", Kind.NOMINAL, "category", tuple("abcdefghijkl")),
    )
)


def distances(pair):
    real, synthetic = scale_pair(pair)
    k = synthetic.shape[1]
    return np.column_stack(
        [own_distances(synthetic, np.repeat(row[:, None], k, axis=1)) for row in real.T]
    )


def distance_by_definition(real, s, r):
    """Gower distance of one synthetic and one real row of SCHEMA, cell by cell."""
    total = 0.0
    observed = [value for value in real[:, 0] if not np.isnan(value)]
    spread = max(observed) - min(observed) if observed else 0.0
    for j, (a, b) in enumerate(zip(s, r, strict=True)):
        if np.isnan(a) or np.isnan(b):
            total += float(np.isnan(a) != np.isnan(b))
        elif j == 0 and spread > 0:
            total += min(abs(a - b) / spread, 1.0)
        elif j == 1:
            total += abs(a - b) / 3
        else:
            total += float(a != b)
    return total


def test_equals_daisy():
    # as.matrix(daisy(d, metric = "gower")) * 3 with cluster 2.1.4 in R 4.2.2, d as below
    frame = pd.DataFrame(
        {
            "a": [1, 4, 2.5, 10],
            "b": pd.Categorical(list("xyxz")),
            "o": pd.Categorical(list("lmhl"), categories=list("lmh"), ordered=True),
        }
    )
    expected = 3 * np.array(
        [
            [0.0000000, 0.6111111, 0.3888889, 0.6666667],
            [0.6111111, 0.0000000, 0.5555556, 0.7222222],
            [0.3888889, 0.5555556, 0.0000000, 0.9444444],
            [0.6666667, 0.7222222, 0.9444444, 0.0000000],
        ]
    )
    pair = TablePair.encode(frame, frame, infer_schema(frame))
    np.testing.assert_allclose(distances(pair), expected, atol=1e-6)


def rows():
    missing = st.just(np.nan)
    row = st.tuples(
        st.one_of(missing, st.sampled_from([-1e9, -3.0, 0.0, 0.25, 1.0, 7.0, 1e9])),
        st.one_of(missing, st.integers(0, 3).map(float)),
        st.one_of(missing, st.integers(0, 11).map(float)),
    )
    return st.lists(row, min_size=1, max_size=8).map(np.array)


@settings(deadline=None)
@given(rows(), rows())
def test_equals_the_definition(real, synthetic):
    measured = distances(TablePair(SCHEMA, real, synthetic))
    expected = [[distance_by_definition(real, s, r) for r in real] for s in synthetic]
    np.testing.assert_allclose(measured, expected, atol=1e-9)


def test_a_variable_that_is_constant_in_the_real_data_counts_as_nominal():
    schema = Schema((Variable("x", Kind.NUMERIC, "float64"),))
    pair = TablePair(schema, np.array([[5.0], [5.0]]), np.array([[5.0], [5.5], [np.nan]]))
    assert distances(pair).tolist() == [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize("beyond", [-8.0, 2.0, 8.0, 1e12])
def test_values_beyond_the_real_range_are_no_further_than_others_and_not_missing(beyond):
    schema = Schema((Variable("x", Kind.NUMERIC, "float64"),))
    pair = TablePair(schema, np.array([[0.0], [1.0], [np.nan]]), np.array([[beyond]]))
    assert distances(pair).tolist() == [[1.0, 1.0, 1.0]]
