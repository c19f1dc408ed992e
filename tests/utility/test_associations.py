import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synth_tasks.data import encode, infer_schema
from synth_tasks.utility.associations import correlate, measure_associations
from synth_tasks.utility.pair import TablePair


def test_correlations_equal_those_of_pandas(boys):
    matrix = encode(boys, infer_schema(boys))[:, :8]
    correlations, counts = correlate(matrix)
    np.testing.assert_allclose(correlations, pd.DataFrame(matrix).corr(), atol=1e-12)
    observed = ~np.isnan(matrix)
    assert counts[0, 5] == (observed[:, 0] & observed[:, 5]).sum()


def test_large_offsets_lose_no_digits():
    x = np.arange(50.0)
    matrix = np.column_stack([x + 1e9, x**2 + 1e9])
    expected = np.corrcoef(x, x**2)[0, 1]
    assert correlate(matrix)[0][0, 1] == pytest.approx(expected, abs=1e-9)


@given(
    arrays(
        float,
        st.tuples(st.integers(1, 12), st.integers(1, 4)),
        elements=st.one_of(st.just(np.nan), st.integers(-3, 3).map(float)),
    )
)
def test_correlations_are_finite_symmetric_and_bounded(matrix):
    correlations, counts = correlate(matrix)
    assert np.isfinite(correlations).all()
    assert (np.abs(correlations) <= 1).all()
    np.testing.assert_allclose(correlations, correlations.T, atol=1e-12)
    assert (counts >= 0).all()


def test_a_reversed_variable_is_the_largest_difference(pair_up):
    x = [1.0, 2.0, 3.0, 4.0, 5.0]
    measured = measure_associations(
        pair_up({"x": x, "y": x, "c": list("abcab")}, {"x": x, "y": x[::-1], "c": list("abcab")})
    )
    assert [(m.metric, m.target, m.n) for m in measured] == [
        ("correlation_difference", "x:y", 5),
        ("correlation_difference_max", "", 1),
    ]
    assert measured[0].value == pytest.approx(-2.0)
    assert measured[1].value == pytest.approx(2.0)


def test_without_ordered_variables_nothing_is_lost(pair_up):
    measured = measure_associations(pair_up({"c": list("abc")}, {"c": list("cba")}))
    assert [(m.metric, m.value, m.n) for m in measured] == [("correlation_difference_max", 0.0, 0)]


def test_ordinal_and_binary_variables_take_part_by_their_codes(boys):
    measured = measure_associations(TablePair.encode(boys, boys, infer_schema(boys)))
    targets = {m.target for m in measured}
    assert "gen:phb" in targets
    assert not any("reg" in target for target in targets)
    assert all(m.value == 0 for m in measured)
