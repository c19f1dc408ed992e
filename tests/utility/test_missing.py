import numpy as np
import pytest

from synth_tasks.utility.intervals import difference_of_shares
from synth_tasks.utility.missing import measure_missing


def test_by_hand(pair_up):
    nan = np.nan
    measured = measure_missing(
        pair_up(
            {"x": [1.0, nan, 3.0, 4.0], "c": ["a", "b", None, None]},
            {"x": [nan, nan, 1.0, 2.0, 3.0], "c": ["a", "b", "a", "b", "a"]},
        )
    )
    values = {(m.metric, m.target): m.value for m in measured}
    assert values == pytest.approx(
        {
            ("missing_rate_difference", "x"): 2 / 5 - 1 / 4,
            ("missing_rate_difference", "c"): -0.5,
            ("missing_rate_difference_max", ""): 0.5,
        }
    )
    assert (measured[0].lower, measured[0].upper) == difference_of_shares(2, 5, 1, 4)
    assert measured[2].lower == pytest.approx(max(0.0, -difference_of_shares(0, 5, 2, 4)[1]))
    assert [m.n for m in measured] == [5, 5, 2]
