"""Random generators addressed by what they are for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.seeding import SEED_BITS, draw_seed, generator

GOLDEN_ROOT = [8301740480966186674, 8356223928314758965, 2276800440295939307, 7006735001939482806]
GOLDEN_ADDRESS = [
    2588007152233829347,
    5360944621863578453,
    8172409958805226878,
    7728701805024601073,
]
GOLDEN_LARGE = [2540887418858155735, 6513917381614058023, 8728897098409180751, 4888359289653705865]
ADDRESSES = st.lists(st.text(max_size=5) | st.integers(0, 2**31), max_size=4).map(tuple)


def first(seed: int, *address: str | int) -> list[int]:
    return generator(seed, *address).integers(2**63, size=4).tolist()


def test_equal_addresses_give_equal_streams() -> None:
    assert first(1, "synthesis", 3, "hgt") == first(1, "synthesis", 3, "hgt")


@pytest.mark.parametrize(
    "other",
    [
        (2, "synthesis", 3, "hgt"),
        (1, "imputation", 3, "hgt"),
        (1, "synthesis", 4, "hgt"),
        (1, "synthesis", 3, "wgt"),
        (1, "synthesis", "hgt", 3),
        (1, "synthesis", "3", "hgt"),
        (1, "synthesis", 3),
        (1, "synthesis", 3, "hgt", 0),
        (1,),
    ],
)
def test_different_addresses_give_different_streams(other: tuple) -> None:
    assert first(*other) != first(1, "synthesis", 3, "hgt")


@given(ADDRESSES, ADDRESSES)
def test_no_two_addresses_share_a_stream(a: tuple, b: tuple) -> None:
    assert (first(7, *a) == first(7, *b)) == (a == b)


def test_a_stream_does_not_depend_on_other_streams() -> None:
    before = first(1, "a")
    generator(1, "b").random(1000)
    assert first(1, "a") == before


def test_streams_are_the_same_on_every_machine_and_version() -> None:
    assert first(123) == GOLDEN_ROOT
    assert first(123, "synthesis", 1, "hgt") == GOLDEN_ADDRESS
    assert first(2**127 + 1, 0) == GOLDEN_LARGE


def test_neighbouring_streams_are_independent() -> None:
    draws = np.array([generator(1, "set", i).standard_normal(2000) for i in range(20)])
    correlations = np.corrcoef(draws)[np.triu_indices(20, 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(2000)
    assert abs(correlations.mean()) < 4 / np.sqrt(2000 * len(correlations))


def test_a_drawn_seed_is_secret_and_long() -> None:
    seeds = {draw_seed() for _ in range(100)}
    assert len(seeds) == 100
    assert 2 ** (SEED_BITS - 20) < max(seeds) < 2**SEED_BITS
