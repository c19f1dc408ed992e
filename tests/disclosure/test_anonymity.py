import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.disclosure.anonymity import measure_anonymity, measure_diversity
from synth_tasks.disclosure.attribution import KeyedPair
from synth_tasks.errors import DataError
from synth_tasks.utility.pair import TablePair


@pytest.fixture
def keyed(pair_up):
    # Classes of the synthetic table: (u, 1) has 3 rows with t = x, x, y; (u, 2) has 1 row, z;
    # (v, missing) has 4 rows, all x.
    return KeyedPair(
        pair_up(
            {"a": list("uv"), "b": [1.5, 2.5], "t": list("xz")},
            {
                "a": list("uuuuvvvv"),
                "b": [1.5, 1.5, 1.5, 2.5, None, None, None, None],
                "t": list("xxyzxxxx"),
            },
            4,
        ),
        ["a", "b"],
    )


def test_classes_by_hand(keyed):
    smallest, below = measure_anonymity(keyed)
    assert (smallest.metric, smallest.value) == ("k_anonymity", 1)
    assert (below.metric, below.value) == ("below_k", 1 / 8)
    assert (below.keys, below.target, below.set_number, below.n) == ("a+b", "", 4, 8)
    assert [m.value for m in measure_anonymity(keyed, k=4)] == [1, 4 / 8]
    assert measure_anonymity(keyed, k=1)[1].value == 0


def test_values_within_classes_by_hand(keyed):
    smallest, below = measure_diversity(keyed, "t")
    assert (smallest.metric, smallest.value, smallest.target) == ("l_diversity", 1, "t")
    # (u, 2) and (v, missing) hold one value only.
    assert (below.metric, below.value) == ("below_l", 5 / 8)
    assert measure_diversity(keyed, "t", 3)[1].value == 1
    assert measure_diversity(keyed, "t", 1)[1].value == 0


def test_rows_that_are_all_alike_are_anonymous_but_not_diverse():
    frame = pd.DataFrame({"a": ["u"] * 7, "t": ["x"] * 7})
    keyed = KeyedPair(TablePair.encode(frame, frame, infer_schema(frame)), ["a"])
    assert [m.value for m in measure_anonymity(keyed, 7)] == [7, 0]
    assert [m.value for m in measure_diversity(keyed, "t")] == [1, 1]


def test_a_policy_asks_for_something(keyed):
    with pytest.raises(DataError, match="k = 1 row"):
        measure_anonymity(keyed, 0)
    with pytest.raises(DataError, match="l = 1 value"):
        measure_diversity(keyed, "t", 0)
