import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import association

from synth_tasks.utility.category_associations import (
    correlation_ratio,
    cramers_v,
    measure_category_associations,
)

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=40)


@given(ROWS)
def test_v_equals_that_of_scipy(rows):
    x, y = np.array(rows).T
    table = np.array([[np.sum((x == i) & (y == j)) for j in range(3)] for i in range(4)])
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    expected = association(table, method="cramer") if min(table.shape) > 1 else 0.0
    assert cramers_v(x, y, (4, 3)) == pytest.approx(expected, abs=1e-7)


@given(ROWS)
def test_eta_is_the_root_of_the_share_of_variance_between_categories(rows):
    codes, values = np.array(rows).T
    means = np.array([values[codes == c].mean() for c in codes])
    expected = np.sqrt(means.var() / values.var()) if values.var() > 0 else 0.0
    assert correlation_ratio(codes, values.astype(float)) == pytest.approx(expected, abs=1e-7)


def test_eta_agrees_with_the_analysis_of_variance():
    groups = [np.array([1.0, 2, 4]), np.array([3.0, 5, 5, 7])]
    f = stats.f_oneway(*groups).statistic
    codes = np.repeat([0, 1], [3, 4])
    assert correlation_ratio(codes, np.concatenate(groups)) ** 2 == pytest.approx(f / (f + 5))


def test_pairs_with_a_nominal_variable_are_measured(pair_up):
    measured = measure_category_associations(
        pair_up(
            {"c": list("aabbcc"), "d": list("xxyyzz"), "x": [1.0, 1, 2, 2, 3, 3], "y": [0.0] * 6},
            {"c": list("aabbcc"), "d": list("xyzxyz"), "x": [1.0, 2, 3, 1, 2, 3], "y": [0.0] * 6},
        )
    )
    found = {(m.metric, m.target): m.value for m in measured}
    assert found == pytest.approx(
        {
            ("cramers_v_difference", "c:d"): np.sqrt(0.5 / 2 * 1.0) - 1,
            ("eta_difference", "c:x"): 0.5 - 1,
            ("eta_difference", "c:y"): 0.0,
            ("eta_difference", "d:x"): 0.0,
            ("eta_difference", "d:y"): 0.0,
            ("category_association_max", ""): 0.5,
        },
        abs=0.01,
    )


def test_without_nominal_variables_nothing_is_lost(pair_up):
    measured = measure_category_associations(pair_up({"x": [1.0, 2.0]}, {"x": [2.0, 1.0]}))
    assert [(m.metric, m.value, m.n) for m in measured] == [("category_association_max", 0.0, 0)]
