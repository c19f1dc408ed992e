"""Predictors of wide tables: by correlation, by blocks, and the strongest few."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks import block_predictors, load_boys, quick_predictors
from synth_tasks.engine.predictor_choice import keep_strongest
from synth_tasks.errors import PlanError

NAMES = ["id", "sex", "wave1_a", "wave1_b", "wave2_a", "wave2_b", "note"]
WAVES = {"first": ["wave1_*"], "second": ["wave2_*"]}


def predictors(table: pd.DataFrame, target: str) -> list[str]:
    return [str(name) for name in table.columns if table.loc[target, name]]


def test_a_variable_learns_from_its_block_and_from_key_variables() -> None:
    table = block_predictors(NAMES, WAVES, always=["sex"])
    assert predictors(table, "wave1_a") == ["sex", "wave1_b"]
    assert predictors(table, "wave2_b") == ["sex", "wave2_a"]
    assert predictors(table, "note") == ["id", "sex"]
    assert predictors(table, "sex") == ["id", "note"]


@pytest.mark.parametrize(
    ("blocks", "always", "reason"),
    [
        ({"first": ["wave1_*"], "all": ["wave*"]}, [], r"'wave1_a' is in 'first' and in 'all'"),
        ({"third": ["wave3_*"]}, [], r"'third' names the unknown column 'wave3_\*'"),
        (WAVES, ["gender"], "always names the unknown column 'gender'"),
    ],
)
def test_blocks_that_cannot_be_are_refused(
    blocks: dict[str, list[str]], always: list[str], reason: str
) -> None:
    with pytest.raises(PlanError, match=reason):
        block_predictors(NAMES, blocks, always)


@given(st.integers(0, 100), st.integers(1, 8))
def test_the_strongest_are_kept(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    strength, allowed = rng.random((6, 6)).round(1), rng.random((6, 6)) < 0.7
    kept = keep_strongest(allowed, strength, most)
    assert (kept <= allowed).all()
    np.testing.assert_array_equal(kept.sum(axis=1), np.minimum(allowed.sum(axis=1), most))
    for row in range(6):
        left_out = strength[row][allowed[row] & ~kept[row]]
        if kept[row].any() and len(left_out):
            assert strength[row][kept[row]].min() >= left_out.max()


def test_of_equally_strong_ones_the_first_are_kept_and_key_variables_do_not_count() -> None:
    allowed = ~np.eye(5, dtype=bool)
    kept = keep_strongest(allowed, np.ones((5, 5)), 2, always=[4])
    assert np.flatnonzero(kept[0]).tolist() == [1, 2, 4]
    assert np.flatnonzero(kept[4]).tolist() == [0, 1]


def test_quick_predictors_may_be_capped() -> None:
    boys = load_boys()
    free, capped = quick_predictors(boys), quick_predictors(boys, max_predictors=2)
    assert (capped.sum(axis=1) == free.sum(axis=1).clip(upper=2)).all()
    assert (capped <= free).all(axis=None)
    assert predictors(capped, "hgt") == ["age", "wgt"]
    assert predictors(quick_predictors(boys, max_predictors=1, include=["reg"]), "hgt") == [
        "age",
        "reg",
    ]
