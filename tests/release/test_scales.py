import pytest

from synth_tasks.release.scales import guess_order


@pytest.mark.parametrize(
    "order",
    [
        ["G1", "G2", "G10"],
        ["<18", "18-64", "65+"],
        ["under 18", "18 to 65", "over 65"],
        ["I", "II", "IV", "IX"],
        ["low", "mid", "high"],
        ["Strongly disagree", "Disagree", "Neutral", "Agree"],
        ["none", "mild", "severe"],
        ["none", "low", "medium", "high"],
    ],
)
def test_names_that_tell_an_order_are_put_in_it(order):
    assert guess_order(sorted(order)) == order


@pytest.mark.parametrize(
    "labels",
    [
        ["north", "south", "east"],
        ["a", "b"],
        ["G1", "H2", "G3"],
        ["1a", "1b", "2a"],
        [1, 2, 3],
        [f"ward {i}" for i in range(21)],
    ],
)
def test_names_that_tell_none_are_left(labels):
    assert guess_order(labels) is None
