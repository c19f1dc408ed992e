"""Strata: parts of the data with models of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import Kind, Schema, Variable, VariableOverride, infer_schema
from synth_tasks.engine import mice, synthesize
from synth_tasks.engine.strata import Strata, divide, least_stratum_size
from synth_tasks.errors import PlanError
from tests.engine.builders import category, number

SCHEMA = Schema((category(3, name="g"), category(2, Kind.BINARY, name="h"), number("x")))


def matrix(sizes: dict[tuple[float, float], int]) -> np.ndarray:
    rows = [(*codes, 0.0) for codes, size in sizes.items() for _ in range(size)]
    return np.array(rows)


def sizes_of(strata: Strata) -> list[int]:
    return sorted(len(strata.rows(i)) for i in range(strata.count))


# --- dividing -------------------------------------------------------------------------------------


def test_rows_are_divided_by_all_categories_together() -> None:
    data = matrix({(0, 0): 5, (0, 1): 6, (2, 1): 7})
    strata, remarks = divide(data, SCHEMA, ["g", "h"], 1)
    assert sizes_of(strata) == [5, 6, 7]
    assert strata.shares.tolist() == [5 / 18, 6 / 18, 7 / 18]
    assert remarks == []
    for number_ in range(3):
        assert len(np.unique(data[strata.rows(number_)], axis=0)) == 1


def test_a_missing_value_that_is_kept_is_a_category() -> None:
    strata, _ = divide(matrix({(0, 0): 5, (np.nan, 0): 6}), SCHEMA, ["g"], 1)
    assert sizes_of(strata) == [5, 6]


def test_the_smallest_is_merged_with_the_next_until_all_are_large_enough() -> None:
    data = matrix({(0, 0): 3, (1, 0): 4, (2, 0): 20, (2, 1): 9})
    strata, remarks = divide(data, SCHEMA, ["g", "h"], 10)
    # 3 and 4 make 7, and 7 and 9 make 16.
    assert sizes_of(strata) == [16, 20]
    assert remarks == ["4 strata merged to 2 of at least 10 rows"]


def test_fewer_rows_than_a_stratum_needs_are_one_stratum() -> None:
    strata, remarks = divide(matrix({(0, 0): 3, (1, 0): 4}), SCHEMA, ["g"], 100)
    assert sizes_of(strata) == [7]
    assert remarks == ["2 strata merged to 1 of at least 100 rows"]


def test_every_row_is_in_one_stratum_whatever_the_order() -> None:
    data = matrix({(0, 0): 3, (1, 0): 4, (2, 0): 20})
    shuffled = data[np.random.default_rng(0).permutation(len(data))]
    strata, _ = divide(shuffled, SCHEMA, ["g"], 5)
    rows = np.concatenate([strata.rows(i) for i in range(strata.count)])
    assert sorted(rows) == list(range(27))
    assert sizes_of(strata) == [7, 20]


def test_the_default_size_grows_with_the_number_of_variables() -> None:
    assert least_stratum_size(9) == 100


# --- in a synthesis -------------------------------------------------------------------------------

N = 400
RNG = np.random.default_rng(1)
GROUP = RNG.choice(["a", "b"], N, p=[0.3, 0.7])
X = RNG.standard_normal(N)
FRAME = pd.DataFrame(
    {
        "group": GROUP,
        "x": X,
        "y": np.where(GROUP == "a", X, -X) + 0.3 * RNG.standard_normal(N),
    }
)
NORM: dict[str, Any] = {"method": {"x": "norm", "y": "norm"}, "seed": 1}
STRATA: dict[str, Any] = {"strata": "group", "min_stratum_size": 20}


def slopes(frame: pd.DataFrame) -> list[float]:
    parts = [frame[frame["group"] == g] for g in "ab"]
    return [float(np.polyfit(part["x"], part["y"], 1)[0]) for part in parts]


def test_models_differ_by_stratum() -> None:
    made = synthesize(FRAME, m=5, **NORM, **STRATA).complete("stacked")
    # The standard error of a slope is 0.3 / sqrt(120) = 0.027 in the real data of group a.
    assert slopes(made) == pytest.approx([1, -1], abs=5 * 0.027 * 1.4)


def test_main_effects_alone_miss_that() -> None:
    a, b = slopes(synthesize(FRAME, m=5, **NORM).complete("stacked"))
    assert abs(a - b) < 0.3


def test_sizes_of_strata_are_drawn() -> None:
    made = synthesize(FRAME, m=200, method="sample", **STRATA, seed=1)
    sizes = np.array([(one["group"] == "a").sum() for one in made.complete("all")])
    share = (GROUP == "a").mean()
    spread = np.sqrt(N * share * (1 - share))
    assert sizes.mean() == pytest.approx(N * share, abs=4 * spread / np.sqrt(200))
    # The standard error of a standard deviation of 200 draws is 5 %.
    assert sizes.std() == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize("k", [1, 50, 1000])
def test_a_set_may_have_another_size(k: int) -> None:
    made = synthesize(FRAME, m=2, k=k, **NORM, **STRATA)
    assert made.complete(2).shape == (k, 3)
    assert not made.complete(2).isna().any(axis=None)
    if k == 1000:
        share = (GROUP == "a").mean()
        assert (made.complete(2)["group"] == "a").mean() == pytest.approx(share, abs=0.06)


def test_small_strata_are_merged_and_that_is_logged() -> None:
    frame = FRAME.assign(group=np.where(np.arange(N) < 3, "rare", GROUP))
    made = synthesize(frame, m=1, strata="group", seed=1)
    event = "3 strata merged to 2 of at least 40 rows"
    assert event in made.logged_events.query("variable == 'group'")["event"].tolist()
    one = made.complete(1)
    assert set(one["group"]) <= {"a", "b", "rare"}
    assert len(one) == N


def test_remarks_name_their_stratum() -> None:
    made = synthesize(FRAME, m=1, **NORM, **STRATA)
    texts = made.logged_events["event"]
    assert texts.str.startswith("stratum 1: ").any()
    assert texts.str.startswith("stratum 2: ").any()


def test_one_stratum_is_one_synthesis() -> None:
    frame = FRAME.assign(group=pd.Categorical(["only"] * N))
    made = synthesize(frame, m=1, strata="group", seed=1).complete(1)
    assert (made["group"] == "only").all()
    assert len(made) == N


@pytest.mark.parametrize("strata", [["group", "h"], ["group", "group"]])
def test_several_variables_may_divide(strata: list[str]) -> None:
    frame = FRAME.assign(h=pd.Series(X > 0))
    made = synthesize(frame, m=1, strata=strata, min_stratum_size=10, seed=1).complete(1)
    assert len(made) == N


def test_a_partial_synthesis_keeps_the_rows_in_place() -> None:
    where = pd.DataFrame(False, index=FRAME.index, columns=FRAME.columns)
    where["y"] = X > 0
    made = mice(FRAME, m=1, method="norm", where=where, strata="group", seed=1).complete(1)
    pd.testing.assert_frame_equal(made.mask(where), FRAME.mask(where))
    assert slopes(made[X > 0]) == pytest.approx([1, -1], abs=0.3)
    assert not np.isin(made["y"][X > 0], FRAME["y"]).any()


def test_a_dividing_variable_that_is_replaced_does_not_keep_its_real_values() -> None:
    where = pd.DataFrame(False, index=FRAME.index, columns=FRAME.columns)
    where[["group", "y"]] = True
    try:
        made = mice(FRAME, m=1, method="cart", where=where, strata="group", seed=1)
    except PlanError:
        return
    same = (made.complete(1)["group"] == FRAME["group"]).mean()
    assert same < 0.99


@pytest.mark.parametrize("proper", [False, True])
def test_the_number_of_workers_changes_no_byte(proper: bool) -> None:
    results = [
        synthesize(FRAME, m=3, proper=proper, workers=w, **STRATA, seed=5) for w in (1, 2, 5)
    ]
    for other in results[1:]:
        assert [a.tobytes() for a in other.sets] == [a.tobytes() for a in results[0].sets]
        assert other.events == results[0].events


def test_strata_of_incomplete_data_are_those_of_each_imputation() -> None:
    holes = FRAME.copy()
    holes.loc[:20, "group"] = None
    holes.loc[30:60, "y"] = np.nan
    made = mice(holes, m=2, r=2, maxit=1, where="all", **STRATA, seed=1)
    assert made.m == 4
    for one in made.complete("all"):
        assert one.shape == (N, 3)
        assert not one.isna().any(axis=None)


def test_a_variable_never_observed_in_a_stratum_is_synthesised_there_all_the_same() -> None:
    holes = FRAME.assign(y=FRAME["y"].mask(GROUP == "a"))
    settings: dict[str, Any] = {"m": 1, "maxit": 1, "method": "cart", "where": "all"}
    made = mice(holes, **settings, **STRATA, seed=1).complete(1)
    assert made.notna().all(axis=None)


def test_missing_values_that_are_kept_make_a_stratum() -> None:
    frame = FRAME.assign(group=FRAME["group"].mask(np.arange(N) % 3 == 0))
    schema = infer_schema(frame, {"group": VariableOverride(keep_missing=True)})
    made = synthesize(frame, m=1, schema=schema, **STRATA, seed=1).complete(1)
    assert made["group"].isna().mean() == pytest.approx(1 / 3, abs=0.1)


def test_progress_is_reported_to_its_total() -> None:
    seen: list[tuple[str, int, int]] = []
    synthesize(FRAME, m=1, **STRATA, seed=1, progress=lambda *step: seen.append(step))
    fits = [(done, total) for stage, done, total in seen if stage == "fit"]
    assert fits[-1][0] == fits[-1][1]
    assert all(done <= total for done, total in fits)


# --- conflicts ------------------------------------------------------------------------------------


def test_strata_are_categories_of_a_synthesis() -> None:
    for setting, message in (
        ({"strata": "x"}, "strata: 'x' is numeric, and strata are made of categories"),
        ({"strata": "z"}, "strata: unknown column 'z'"),
        ({"strata": "group", "min_stratum_size": 0}, "min_stratum_size must be a whole number"),
        ({"strata": "group", "where": "missing"}, "strata divide a synthesis"),
    ):
        with pytest.raises(PlanError, match=message):
            synthesize(FRAME, **setting)


@pytest.mark.filterwarnings("ignore")
def test_strata_work_with_observed_conditioning_or_are_refused_when_planned() -> None:
    try:
        made = synthesize(FRAME, m=1, conditioning="observed", **STRATA, seed=1)
    except PlanError:
        return
    assert made.complete(1).shape == (N, 3)


@pytest.mark.filterwarnings("ignore")
def test_a_stratum_whose_rows_are_all_ignored_is_refused_or_merged() -> None:
    try:
        made = synthesize(FRAME, m=1, ignore=GROUP == "a", **STRATA, seed=1)
    except PlanError as error:
        assert "strat" in str(error)  # noqa: PT017
        return
    assert made.complete(1).shape == (N, 3)


def test_a_variable_description_is_enough() -> None:
    plain = Schema((Variable("g", Kind.BOOLEAN, "bool", (False, True)), number("x")))
    strata, _ = divide(np.array([[0.0, 1], [1, 1], [1, 2]]), plain, ["g"], 1)
    assert strata.numbers.tolist() == [0, 1, 1]
