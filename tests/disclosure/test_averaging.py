import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synth_tasks.data import Kind, Schema, Variable
from synth_tasks.disclosure.averaging import average_sets

NAN = np.nan
SCHEMA = Schema(
    (
        Variable("x", Kind.NUMERIC, "float64"),
        Variable("c", Kind.NOMINAL, "category", tuple("abc")),
    )
)


def test_by_hand():
    sets = [
        np.array([[1.0, 2], [1.0, 0], [NAN, NAN], [NAN, 1]]),
        np.array([[2.0, 2], [NAN, NAN], [NAN, NAN], [4.0, 0]]),
        np.array([[6.0, 0], [3.0, NAN], [7.0, 0], [NAN, NAN]]),
    ]
    expected = [[3.0, 2], [2.0, NAN], [NAN, NAN], [NAN, 0]]
    np.testing.assert_array_equal(average_sets(sets, SCHEMA), expected)


def test_of_one_set_is_that_set():
    matrix = np.array([[1.5, 2], [NAN, NAN], [0.0, 0]])
    np.testing.assert_array_equal(average_sets([matrix], SCHEMA), matrix)


CELLS = st.one_of(st.just(NAN), st.integers(0, 2).map(float))


@given(arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 5), st.just(2)), elements=CELLS))
def test_modes_are_values_that_occur_most_often(stack):
    average = average_sets(list(stack), SCHEMA)
    for row in range(stack.shape[1]):
        cells = stack[:, row, 1].tolist()
        votes = {str(cell): [str(c) for c in cells].count(str(cell)) for cell in cells}
        assert votes[str(float(average[row, 1]))] == max(votes.values())
