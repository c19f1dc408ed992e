import numpy as np
import pytest

from synth_tasks.disclosure.replicated_uniques import measure_replicated_uniques
from synth_tasks.errors import DataError
from synth_tasks.utility.intervals import wilson


def values(measured):
    return {m.metric: m.value for m in measured}


@pytest.fixture
def hand_table(pair_up):
    # real: (1, a) twice, (2, a), (3, b), (missing, b); unique: the last three of five
    # synthetic: (2, a), (3, b) twice, (missing, b), (9, a), (1, a), (1, b), (1, b)
    return pair_up(
        {"x": [1.0, 1.0, 2.0, 3.0, np.nan], "c": ["a", "a", "a", "b", "b"]},
        {"x": [2.0, 3.0, 3.0, np.nan, 9.0, 1.0, 1.0, 1.0], "c": list("abbbaabb")},
    )


def test_by_hand(hand_table):
    measured = measure_replicated_uniques(hand_table, ["x", "c"])
    assert values(measured) == {"repU": 40.0, "UiO": 60.0, "UiS": 50.0, "UiOiS": 60.0}
    assert {m.keys for m in measured} == {"x+c"}
    assert {m.metric: m.n for m in measured} == {"repU": 5, "UiO": 5, "UiS": 8, "UiOiS": 5}
    replicated = measured[0]
    assert replicated.lower == pytest.approx(100 * wilson(2, 5)[0])
    assert replicated.upper == pytest.approx(100 * wilson(2, 5)[1])


def test_a_single_key_by_hand(hand_table):
    measured = measure_replicated_uniques(hand_table, ["x"])
    assert values(measured) == {"repU": 40.0, "UiO": 60.0, "UiS": 37.5, "UiOiS": 60.0}


def test_numeric_keys_may_be_known_roughly(pair_up):
    real = [float(i) for i in range(20)]
    pair = pair_up({"x": real}, {"x": [value + 0.5 for value in real]})
    assert values(measure_replicated_uniques(pair, ["x"]))["UiO"] == 100
    grouped = measure_replicated_uniques(pair, ["x"], groups=5)
    assert values(grouped) == {"repU": 0.0, "UiO": 0.0, "UiS": 0.0, "UiOiS": 0.0}


def test_grouping_leaves_categories_alone_and_missing_values_apart(pair_up):
    pair = pair_up(
        {"x": [1.0, 2.0, 3.0, 4.0, np.nan], "c": list("aabaa")},
        {"x": [np.nan, 1.0, 4.0, 4.0], "c": list("aaaa")},
    )
    # real: (low, a) twice, (high, b), (high, a), (missing, a)
    # synthetic: (missing, a), (low, a), (high, a) twice
    measured = measure_replicated_uniques(pair, ["x", "c"], groups=2)
    assert values(measured) == {"repU": 20.0, "UiO": 60.0, "UiS": 50.0, "UiOiS": 40.0}
    with pytest.raises(DataError, match="2 or more"):
        measure_replicated_uniques(pair, ["x"], groups=1)


def test_a_copy_replicates_every_unique(boys, pair_up):
    measured = values(measure_replicated_uniques(pair_up(boys, boys), ["age", "hgt"]))
    assert measured["repU"] == measured["UiO"] == measured["UiS"] == measured["UiOiS"] > 90


def test_keys_must_be_named(hand_table):
    with pytest.raises(DataError, match="key"):
        measure_replicated_uniques(hand_table, [])
    with pytest.raises(DataError, match="unknown column 'z'"):
        measure_replicated_uniques(hand_table, ["z"])
