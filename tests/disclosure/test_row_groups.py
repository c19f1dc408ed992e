import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synth_tasks.disclosure.row_groups import group_rows

CELLS = st.one_of(st.just(np.nan), st.sampled_from([0.0, -0.0, 1.0, 2.5]))


def table(n_columns):
    return arrays(float, st.tuples(st.integers(1, 12), st.just(n_columns)), elements=CELLS)


@given(st.integers(1, 3).flatmap(lambda p: st.tuples(table(p), table(p))))
def test_groups_are_those_of_pairwise_comparison(tables):
    real, synthetic = tables
    groups = group_rows(real, synthetic)
    equal = ((real[:, None] == synthetic) | (np.isnan(real[:, None]) & np.isnan(synthetic))).all(2)
    np.testing.assert_array_equal(groups.real[:, None] == groups.synthetic, equal)
    np.testing.assert_array_equal(groups.real_counts[groups.synthetic], equal.sum(axis=0))
    np.testing.assert_array_equal(groups.synthetic_counts[groups.real], equal.sum(axis=1))
    assert groups.real_counts.sum() == len(real)
    assert groups.synthetic_counts.sum() == len(synthetic)
