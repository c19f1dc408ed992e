"""Support of extremes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.engine.tails import TailSupport

RNG = np.random.default_rng


def supported(y: list[float], k: int) -> list[float]:
    values = np.array(y, dtype=float)
    return TailSupport.learn(values, k).apply(values).tolist()


def test_the_tails_become_their_means() -> None:
    assert supported([10, 1, 2, 3, 4, 5, 6, 7, 8, 20], k=3) == [
        *([38 / 3, 2, 2, 2, 4, 5, 6, 7]),
        *([38 / 3, 38 / 3]),
    ]


def test_other_draws_in_a_tail_are_replaced_too() -> None:
    tails = TailSupport.learn(np.arange(10.0), k=2)
    assert tails.apply(np.array([-3.0, 0.5, 1.5, 7.9, 8.5, 99.0])).tolist() == [
        0.5, 0.5, 1.5, 7.9, 8.5, 8.5,
    ]  # fmt: skip


@pytest.mark.parametrize("k", [2, 3, 10, 100, 150, 1000])
def test_the_mean_of_the_margin_stays(k: int) -> None:
    y = np.exp(2 * RNG(1).standard_normal(300))
    assert TailSupport.learn(y, k).apply(y).mean() == pytest.approx(y.mean(), rel=1e-12)


def test_draws_from_the_margin_keep_their_expectation() -> None:
    y = np.exp(RNG(2).standard_normal(200))
    tails = TailSupport.learn(y, k=5)
    released = tails.apply(RNG(3).choice(y, 100_000))
    error = released.std() / np.sqrt(len(released))
    assert abs(released.mean() - y.mean()) < 4 * error


def test_k_of_one_changes_nothing() -> None:
    y = RNG(4).standard_normal(50)
    np.testing.assert_array_equal(TailSupport.learn(y, k=1).apply(y), y)


def test_an_extreme_shared_by_enough_rows_stays() -> None:
    y = [0, 0, 0, 1, 2, 3, 9, 9, 9]
    assert supported(y, k=3) == y


def test_rows_tied_at_the_limit_belong_to_the_tail() -> None:
    assert supported([1, 1, 1, 4, 8, 8, 10], k=3)[4:] == [26 / 3] * 3
    assert supported([1, 1, 1, 1, 4, 8, 8, 9, 10], k=3)[5:] == [35 / 4] * 4


def test_rows_beyond_a_supported_value_are_recoded_to_it() -> None:
    # 5 stands for three rows; moving it would break up an atom such as 0 income.
    assert supported([0, 0, 0, 1, 2, 5, 5, 5, 9], k=3)[5:] == [5, 5, 5, 5]
    assert supported([0] * 90 + [50, 100], k=3) == [0] * 92


def test_too_few_rows_for_two_tails_become_their_mean() -> None:
    assert supported([1, 2, 6], k=2) == [3, 3, 3]
    assert supported([1, 2, 6], k=10) == [3, 3, 3]
    assert supported([7], k=10) == [7]


def test_equal_values_stay() -> None:
    assert supported([0.1] * 7, k=3) == [0.1] * 7
    assert supported([0.1] * 3, k=10) == [0.1] * 3


@given(
    st.lists(st.integers(-6, 6) | st.floats(-1e100, 1e100), min_size=1, max_size=40),
    st.integers(1, 15),
)
def test_released_extremes_stand_for_k_rows(y: list[float], k: int) -> None:
    values = np.array(y, dtype=float)
    released = TailSupport.learn(values, k).apply(values)
    assert values.min() <= released.min() <= released.max() <= values.max()
    for extreme in (released.min(), released.max()):
        assert np.count_nonzero(released == extreme) >= min(k, len(y))
    order = np.argsort(values, kind="stable")
    assert (np.diff(released[order]) >= 0).all()
