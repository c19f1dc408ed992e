import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synth_tasks.utility.grouping import assign_cells, group_pair, quantile_cuts

# Oracle, in R 4.2.2 with classInt 0.4.9:
#   b <- unique(classIntervals(x, n = 5, style = "quantile")$brks)
#   as.integer(cut(x, b, right = FALSE, include.lowest = TRUE))
TIED = np.array([1, 2, 2, 2, 3, 4, 4, 5, 5, 5, 5, 6, 7, 9, 11, 11.5, 12, 20, 20, 20])
TIED_GROUPS = [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5]
FIVE_VALUES = np.array([1, 1, 2, 2, 3, 3, 3, 5, 8.0])
FIVE_VALUES_GROUPS = [1, 1, 2, 2, 3, 3, 3, 4, 5]


@pytest.mark.parametrize(
    ("values", "groups"), [(TIED, TIED_GROUPS), (FIVE_VALUES, FIVE_VALUES_GROUPS)]
)
def test_groups_are_those_of_synthpop(values, groups):
    cells = assign_cells(values, quantile_cuts(values, 5))
    assert (cells + 1).tolist() == groups


def test_cuts_do_not_suffer_from_rounding():
    # 3/5 of 5 steps is position 3; 0.6000000000000001 * 5 lies beyond it.
    assert quantile_cuts(np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5]), 5).tolist() == [
        0.1,
        0.2,
        0.3,
        0.4,
    ]


def test_a_spike_does_not_hide_the_other_values():
    values = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [95, 1, 1, 1, 1, 1])
    cells = assign_cells(values, quantile_cuts(values, 5))
    assert np.bincount(cells).tolist() == [95, 4, 1]


def test_missing_values_have_a_cell_of_their_own(pair_up):
    grouped = group_pair(
        pair_up(
            {"x": [1.0, np.nan, 3.0], "c": ["a", None, "b"]},
            {"x": [np.nan, 1.0, 2.0], "c": ["b", "b", None]},
        )
    )
    assert grouped.real.tolist() == [[0, 0], [3, 2], [2, 1]]
    assert grouped.synthetic.tolist() == [[3, 1], [0, 1], [1, 2]]
    assert grouped.sizes.tolist() == [4, 3]


@given(
    arrays(float, st.integers(1, 60), elements=st.integers(-4, 4).map(float)),
    st.integers(2, 7),
)
def test_groups_follow_the_order_of_values_and_keep_ties_together(values, groups):
    cuts = quantile_cuts(values, groups)
    cells = assign_cells(values, cuts)
    assert len(cuts) < max(groups, 3)
    assert (np.diff(cells[np.argsort(values)]) >= 0).all()
    assert len({(v, c) for v, c in zip(values, cells, strict=True)}) == len(set(values))
    assert (len(set(cells)) > 1) == (len(set(values)) > 1)
