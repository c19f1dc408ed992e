"""Columns that say the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.data import VariableOverride, encode, infer_schema
from synth_tasks.engine import mice, synthesize
from synth_tasks.engine.redundancy import Linear, Renamed, find_relation, find_twins
from tests.engine.builders import category, number

N = 60
RNG = np.random.default_rng(0)
CELSIUS = np.round(RNG.normal(37, 1, N), 2)
OTHER = RNG.standard_normal(N)


def twins(frame: pd.DataFrame, **overrides: VariableOverride) -> list[tuple[str, str]]:
    schema = infer_schema(frame, overrides)
    return [(t.first, t.second) for t in find_twins(encode(frame, schema), schema)]


def events_of(result: Any) -> list[str]:
    return [e.event for e in result.events]


# --- what is a relation ---------------------------------------------------------------------------


@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (1.8, 32), (-2, 5), (1e-3, 0)])
def test_numbers_on_another_scale_say_the_same(slope: float, intercept: float) -> None:
    found = find_relation(CELSIUS, slope * CELSIUS + intercept, number(), number())
    assert found is not None
    forward, backward = found
    np.testing.assert_allclose(forward.apply(CELSIUS), slope * CELSIUS + intercept)
    np.testing.assert_allclose(backward.apply(slope * CELSIUS + intercept), CELSIUS)
    assert isinstance(forward, Linear)
    assert forward.slope == pytest.approx(slope)


def test_rounding_on_another_scale_may_be_one_unit_apart() -> None:
    frame = pd.DataFrame({"c": CELSIUS, "f": np.round(1.8 * CELSIUS + 32, 2), "x": OTHER})
    assert twins(frame) == [("c", "f")]


def test_categories_under_other_names_say_the_same() -> None:
    codes = np.arange(N) % 3.0
    found = find_relation(codes, (codes + 1) % 3, category(3), category(3))
    assert found is not None
    assert isinstance(found[0], Renamed)
    assert found[0].apply(np.array([0.0, 1.0, 2.0])).tolist() == [1, 2, 0]
    assert found[1].apply(np.array([1.0, 2.0, 0.0])).tolist() == [0, 1, 2]


def test_a_category_that_was_never_seen_has_no_counterpart() -> None:
    codes = np.arange(N) % 2.0
    found = find_relation(codes, codes, category(3), category(3))
    assert found is not None
    np.testing.assert_array_equal(found[0].apply(np.array([2.0])), [np.nan])


def test_a_coarser_column_does_not_say_the_same() -> None:
    codes = np.arange(N) % 4.0
    assert find_relation(codes, codes // 2, category(4), category(2)) is None
    assert find_relation(CELSIUS, CELSIUS**3, number(), number()) is None
    assert find_relation(CELSIUS, np.rint(CELSIUS), number(), number()) is None


def test_numbers_and_categories_do_not_say_the_same() -> None:
    codes = np.arange(N) % 3.0
    assert find_relation(codes, codes, number(), category(3)) is None


def test_variables_of_two_parts_are_left_to_their_method() -> None:
    spiked = replace(number(), spikes=(0.0,))
    kept = replace(number(), keep_missing=True)
    for special in (spiked, kept):
        assert find_relation(CELSIUS, CELSIUS, special, number()) is None
        assert find_relation(CELSIUS, CELSIUS, number(), special) is None


def test_few_rows_and_two_numbers_prove_nothing() -> None:
    assert find_relation(CELSIUS[:9], CELSIUS[:9], number(), number()) is None
    two = np.arange(N) % 2.0
    assert find_relation(two, two, number(), number()) is None
    holes = np.where(np.arange(N) < N - 9, np.nan, CELSIUS)
    assert find_relation(holes, CELSIUS, number(), number()) is None


# --- never by accident ----------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(10, 40), st.integers(3, 12))
def test_independent_columns_are_no_twins(seed: int, n_rows: int, n_values: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "normal 1": rng.standard_normal(n_rows),
            "normal 2": rng.standard_normal(n_rows),
            "count 1": rng.permuted(np.arange(n_rows) % n_values),
            "count 2": rng.permuted(np.arange(n_rows) % n_values),
            "heavy 1": rng.standard_cauchy(n_rows),
            "heavy 2": rng.standard_cauchy(n_rows),
            "label 1": rng.permuted(np.array(list("abc") * n_rows)[:n_rows]),
            "label 2": rng.permuted(np.array(list("abc") * n_rows)[:n_rows]),
        }
    )
    assert twins(frame) == []


@pytest.mark.parametrize("n_coded", [1, 20])
def test_a_shared_code_far_away_makes_no_twins(n_coded: int) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(50, 10, (200, 2)), columns=["income", "rent"])
    frame.iloc[:n_coded] = 999_999.0
    assert twins(frame) == []


def test_so_it_makes_none_of_answers_on_a_scale() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.integers(1, 4, (200, 2)), columns=["item 1", "item 2"])
    frame.iloc[:20] = 999
    assert twins(frame) == []


def test_one_case_in_common_makes_no_twins() -> None:
    # Two rare answers, each given once: with 30 rows they meet by chance in one table of 30.
    rare = pd.Series(["no"] * 29 + ["yes"])
    assert twins(pd.DataFrame({"angina": rare, "gout": rare})) == []


def test_tables_of_few_rows_have_no_twins() -> None:
    for n in (1, 2, 3, 9):
        assert twins(pd.DataFrame({"a": CELSIUS[:n], "b": CELSIUS[:n]})) == []


# --- derived columns ------------------------------------------------------------------------------

FRAME = pd.DataFrame(
    {
        "x": OTHER,
        "c": CELSIUS,
        "f": np.round(1.8 * CELSIUS + 32, 3),
        "sex": np.where(np.arange(N) % 2 == 0, "m", "f"),
        "sexe": np.where(np.arange(N) % 2 == 0, "homme", "femme"),
    }
)


def assert_consistent(one: pd.DataFrame) -> None:
    np.testing.assert_allclose(one["f"], 1.8 * one["c"] + 32, atol=1.01e-3)
    np.testing.assert_array_equal(one["sex"] == "m", one["sexe"] == "homme")


@pytest.mark.parametrize("method", ["cart", "pmm", "sample"])
def test_synthetic_twins_never_contradict_each_other(method: str) -> None:
    made = synthesize(FRAME, m=2, method=method, seed=1)
    for one in made.complete("all"):
        assert_consistent(one)
        pd.testing.assert_series_equal(one.dtypes, FRAME.dtypes)
    assert "derived from 'c', which says the same" in events_of(made)
    assert "derived from 'sex', which says the same" in events_of(made)


@pytest.mark.parametrize("order", ["roman", "arabic"])
def test_whatever_the_order_of_visits(order: str) -> None:
    for one in synthesize(FRAME, m=1, visit_sequence=order, seed=1).complete("all"):
        assert_consistent(one)


def test_holes_are_filled_from_the_twin_that_is_observed() -> None:
    holes = FRAME.copy()
    holes.loc[:9, "c"] = np.nan
    holes.loc[5:14, "f"] = np.nan
    holes.loc[20:25, "sexe"] = None
    imputed = mice(holes, m=2, maxit=2, seed=1)
    for one in imputed.complete("all"):
        np.testing.assert_allclose(one["c"][:5], FRAME["c"][:5], atol=0.0101)
        np.testing.assert_array_equal(one["sexe"], FRAME["sexe"])
        np.testing.assert_allclose(one["f"], 1.8 * one["c"] + 32, atol=0.02)
        pd.testing.assert_frame_equal(one.where(holes.notna()), holes)
    assert "5 holes filled from a column that says the same" in events_of(imputed)
    assert imputed.original is not None
    assert np.isnan(imputed.original).sum() == holes.isna().sum().sum()


def test_holes_are_filled_through_a_third_column() -> None:
    holes = pd.DataFrame({"x": OTHER, "a": CELSIUS, "b": 2 * CELSIUS, "c": 3 * CELSIUS})
    holes.loc[:4, ["a", "b"]] = np.nan
    one = mice(holes, m=1, maxit=1, seed=1).complete(1)
    np.testing.assert_allclose(one["a"], CELSIUS, atol=0.0101)
    np.testing.assert_allclose(one["b"], 2 * CELSIUS, atol=0.0201)


def test_columns_that_are_replaced_in_different_rows_are_not_derived() -> None:
    where = pd.DataFrame(False, index=FRAME.index, columns=FRAME.columns)
    where["c"] = np.arange(N) < 30
    where["f"] = np.arange(N) < 20
    made = mice(FRAME, m=1, method="cart", where=where, seed=1)
    assert not any("derived" in event for event in events_of(made))


def test_the_predictor_matrix_forbids_it() -> None:
    frame = FRAME[["x", "c", "f"]]
    made = synthesize(frame, m=1, predictor_matrix={"f": {"c": 0}}, seed=1)
    assert not any("derived" in event for event in events_of(made))


@pytest.mark.parametrize(
    "stated",
    [
        {"post": {"f": "min(f, 100)"}},
        {"rules": {"f": {"c > 38": 100.0}}},
        {"formulas": {"f": "x + c"}},
        {"variable_options": {"f": {"minbucket": 3}}},
    ],
)
def test_what_is_stated_for_a_column_counts_more(stated: dict[str, Any]) -> None:
    made = synthesize(FRAME[["x", "c", "f"]], m=1, seed=1, **stated)
    assert not any("derived" in event for event in events_of(made))


@pytest.mark.filterwarnings("ignore:conditioning")
def test_nothing_is_derived_from_a_real_row() -> None:
    made = synthesize(FRAME, m=1, conditioning="observed", seed=1)
    assert not any("derived" in event for event in events_of(made))


def test_a_filled_column_may_have_options_of_its_own() -> None:
    holes = FRAME[["x", "c", "f"]].copy()
    holes.loc[:5, "f"] = np.nan
    options = {"f": {"donors": 3}}
    imputed = mice(holes, m=1, maxit=1, variable_options=options, seed=1).complete(1)
    assert imputed["f"].notna().all()


def test_rules_and_post_processing_hold_where_a_twin_fills_holes() -> None:
    holes = FRAME[["x", "c", "f"]].copy()
    holes.loc[:5, "f"] = np.nan
    for stated in ({"rules": {"f": {"c > 0": 100.0}}}, {"post": {"f": "100 + 0 * f"}}):
        imputed = mice(holes, m=1, maxit=1, **stated, seed=1).complete(1)
        assert (imputed["f"][:6] == 100).all()


def test_a_passive_column_is_computed_by_its_formula_not_from_a_twin() -> None:
    third = np.round(CELSIUS / 3, 2)
    holes = pd.DataFrame({"x": OTHER, "c": CELSIUS, "third": third})
    holes.loc[:5, "third"] = np.nan
    imputed = mice(holes, m=1, maxit=1, method={"third": "~ c / 3"}, seed=1)
    np.testing.assert_array_equal(imputed.sets[0][:6, 2], CELSIUS[:6] / 3)


def test_a_hole_is_not_filled_from_a_column_that_must_not_predict_it() -> None:
    holes = FRAME[["x", "c", "f"]].copy()
    holes.loc[:5, "f"] = np.nan
    imputed = mice(
        holes, m=1, maxit=1, method="norm", predictor_matrix={"f": {"c": 0}}, seed=1
    ).complete(1)
    assert not np.allclose(imputed["f"][:6], FRAME["f"][:6], atol=0.1)


def test_a_category_never_seen_with_its_twin_is_imputed_all_the_same() -> None:
    word = pd.Series(list("pqr") * 20)
    holes = pd.DataFrame({"word": word, "wort": word.str.upper().mask(word == "r"), "x": OTHER})
    holes.loc[0, ["word", "wort"]] = None
    for method in ("cart", None):
        made = mice(holes, m=1, maxit=2, method=method, where="all", seed=1).complete(1)
        assert not made.isna().any(axis=None)


def test_twins_with_holes_that_stay_are_imputed_around_them() -> None:
    holes = pd.DataFrame({"x": OTHER, "c": CELSIUS, "minus": -CELSIUS})
    holes.loc[:9, "c"] = np.nan
    holes.loc[5:14, "minus"] = np.nan
    where = pd.DataFrame(False, index=holes.index, columns=holes.columns)
    where.loc[5:9, ["c", "minus"]] = True
    one = mice(holes, m=1, maxit=2, where=where, seed=1).complete(1)
    assert one.loc[5:9].notna().all(axis=None)
    assert one.loc[:4, "c"].isna().all()


@pytest.mark.parametrize("order", ["roman", "arabic", ["b", "c", "a", "x"], ["c", "a", "b", "x"]])
def test_three_columns_that_say_the_same_never_contradict_each_other(order: Any) -> None:
    frame = pd.DataFrame({"a": CELSIUS, "b": 2 * CELSIUS, "c": 3 * CELSIUS, "x": OTHER})
    one = synthesize(frame, m=1, visit_sequence=order, seed=1).complete(1)
    np.testing.assert_allclose(one["b"] / 2, one["a"], atol=0.0101)
    np.testing.assert_allclose(one["c"] / 3, one["a"], atol=0.0101)
