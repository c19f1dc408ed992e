"""Resolving and checking the arguments of an imputation or synthesis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import VariableOverride, encode, infer_schema
from synth_tasks.datasets import load_boys
from synth_tasks.engine import make_predictor_matrix, make_where
from synth_tasks.engine.plan import LoggedEvent, is_formula
from synth_tasks.engine.planning import make_plan
from synth_tasks.errors import ExpressionError, PlanError, SynthError
from tests.engine.builders import SMALL, plan

BOYS = load_boys()
BMI = {"bmi": "~ I(wgt / (hgt/100)^2)"}


def refusal(frame: pd.DataFrame = SMALL, **settings: Any) -> str:
    with pytest.raises(SynthError) as caught:
        plan(frame, **settings)
    message = str(caught.value)
    assert "\n" not in message
    return message


# --- methods --------------------------------------------------------------------------------------


def test_the_defaults_are_those_of_r() -> None:
    assert plan(BOYS).methods == {
        "age": "", "hgt": "pmm", "wgt": "pmm", "bmi": "pmm", "hc": "pmm", "gen": "polr", "phb": "polr",
        "tv": "pmm", "reg": "polyreg",
    }  # fmt: skip
    assert (plan().m, plan().maxit, plan().proper, plan().conditioning) == (
        5,
        5,
        False,
        "synthetic",
    )


def test_one_method_serves_all_variables_with_cells_to_fill() -> None:
    assert plan(method="cart").methods == {"a": "cart", "b": "cart", "c": "", "g": "cart"}


def test_methods_may_be_listed_by_column() -> None:
    listed = plan(method=["norm", "pmm", "norm", ""])
    assert listed.methods == {"a": "norm", "b": "pmm", "c": "", "g": ""}
    assert "method must have 4 entries" in refusal(method=["norm"])


def test_methods_may_be_named_by_column() -> None:
    named = plan(method={"a": "norm", "c": "norm"})
    assert named.methods == {"a": "norm", "b": "pmm", "c": "", "g": "logreg"}
    assert "method: unknown column 'z'; the data have a, b, c, g" in refusal(method={"z": "norm"})


def test_an_empty_method_leaves_a_variable_as_it_is() -> None:
    p = plan(method={"a": ""}, where="all")
    assert not p.column(p.where, "a").any()
    assert "a" not in p.visit_sequence


def test_a_method_must_exist_and_suit_the_variable() -> None:
    assert refusal(method="forest").startswith("unknown method 'forest'; use one of cart,")
    assert refusal(method={"g": "norm"}).startswith(
        "method 'norm' cannot be used for the binary variable 'g'; use cart, catall, derived,"
    )


def test_options_must_exist() -> None:
    assert "has no option 'depth'" in refusal(method="cart", method_options={"cart": {"depth": 1}})
    assert "unknown method 'forest'" in refusal(method_options={"forest": {}})
    assert "method_options must look like" in refusal(method_options={"cart": 3})
    assert "minbucket must be a whole number" in refusal(method_options={"cart": {"minbucket": 0}})
    assert plan(method_options={"cart": {"minbucket": 3}}).options == {"cart": {"minbucket": 3}}


@pytest.mark.parametrize("text", ["~ a", "  ~a"])
def test_a_tilde_makes_a_formula(text: str) -> None:
    assert is_formula(text)
    assert not is_formula("pmm")


# --- which cells ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "cells"), [("missing", 3), ("all", 16), ("none", 0), ("observed", 13)]
)
def test_cells_are_chosen_by_keyword(keyword: str, cells: int) -> None:
    assert int(plan(where=keyword).where.sum()) == cells


def test_cells_are_chosen_by_a_table() -> None:
    where = make_where(SMALL)
    assert int(plan(where=where).where.sum()) == 3
    assert int(plan(where=where.to_numpy()).where.sum()) == 3
    assert plan(where=where[["a"]]).methods == {"a": "pmm", "b": "", "c": "", "g": ""}
    reordered = plan(where=where[["g", "c", "b", "a"]])
    np.testing.assert_array_equal(reordered.where, where.to_numpy())


def test_a_table_of_cells_is_of_truth_values() -> None:
    assert refusal(where="some").startswith("where: unknown keyword 'some'; use missing, all, none")
    for table in (np.ones((4, 3), dtype=bool), np.ones((4, 4))):
        assert "where must be a table of True and False of shape (4, 4)" in refusal(where=table)
    with_other = make_where(SMALL).rename(columns={"a": "z"})
    assert "where: unknown column 'z'" in refusal(where=with_other)


def test_the_callers_tables_are_not_changed() -> None:
    where = make_where(SMALL, "all")
    before = where.copy()
    plan(where=where, method={"a": ""})
    pd.testing.assert_frame_equal(where, before)


def test_a_synthesis_replaces_observed_cells() -> None:
    assert not plan().synthesises
    assert plan(where="all").synthesises
    assert int(plan(where="all").overimputed.sum()) == 13


def test_imputations_of_a_variable_that_is_not_synthesised_stay() -> None:
    where = make_where(SMALL)
    where["c"] = True
    p = plan(where=where)
    assert p.drawn == ["c"]
    assert p.replaced.sum(axis=0).tolist() == [0, 0, 4, 0]
    assert p.sequential_predictors["c"] == ("a", "b", "g")


# --- predictors -----------------------------------------------------------------------------------


def test_every_variable_predicts_every_other() -> None:
    assert plan().predictors["a"] == ("b", "c", "g")


def test_the_predictor_matrix_chooses() -> None:
    matrix = make_predictor_matrix(SMALL)
    matrix.loc["a", ["b", "g"]] = 0
    assert plan(predictor_matrix=matrix).predictors["a"] == ("c",)
    assert plan(predictor_matrix=matrix).predictors["b"] == ("a", "c", "g")
    assert plan(predictor_matrix={"a": {"b": 0}}).predictors["a"] == ("c", "g")


def test_no_variable_predicts_itself() -> None:
    assert "a" not in plan(predictor_matrix={"a": {"a": 1}}).predictors["a"]


def test_a_bad_predictor_matrix_is_refused() -> None:
    assert "predictor_matrix: unknown column 'z'" in refusal(predictor_matrix={"z": {"a": 1}})
    assert "predictor_matrix row 'a': unknown column 'z'" in refusal(
        predictor_matrix={"a": {"z": 1}}
    )
    assert "entry of row 'a', column 'b' must be 0 or 1" in refusal(
        predictor_matrix={"a": {"b": 2}}
    )


def test_a_variable_whose_holes_stay_predicts_nothing() -> None:
    p = plan(method={"b": ""})
    assert p.predictors["a"] == ("c", "g")
    assert LoggedEvent("a", "'b' does not predict 'a': its missing values stay") in p.events


def test_a_synthesis_predicts_from_variables_visited_before() -> None:
    found = plan(where="all", visit_sequence=["g", "c", "a", "b"]).sequential_predictors
    assert found == {"g": (), "c": ("g",), "a": ("c", "g"), "b": ("a", "c", "g")}


def test_a_variable_that_is_kept_predicts_from_the_start() -> None:
    where = make_where(SMALL, "all")
    where["c"] = False
    assert plan(where=where).sequential_predictors["a"] == ("c",)


def test_a_variable_replaced_in_part_predicts_only_after_its_visit() -> None:
    where = make_where(SMALL, "none")
    where["a"] = SMALL["a"].notna()
    where.loc[0, "c"] = True
    assert plan(where=where).sequential_predictors == {"a": (), "c": ("a",)}


# --- visits ---------------------------------------------------------------------------------------


def test_visits_follow_the_columns_unless_said_otherwise() -> None:
    assert plan().visit_sequence == ("a", "b", "g")
    assert plan(visit_sequence="arabic").visit_sequence == ("g", "b", "a")
    assert plan(BOYS, visit_sequence="monotone").visit_sequence[0] == "reg"
    assert plan(BOYS, visit_sequence="revmonotone").visit_sequence[0] == "tv"
    assert plan(visit_sequence=["g", "c", "a", "b"]).visit_sequence == ("g", "a", "b")


def test_a_bad_visit_sequence_is_refused() -> None:
    assert "visit_sequence: unknown keyword 'greek'" in refusal(visit_sequence="greek")
    assert "visit_sequence: unknown column 'z'" in refusal(visit_sequence=["a", "b", "z", "g"])
    assert "visit_sequence names a variable twice" in refusal(visit_sequence=["a", "b", "a", "g"])
    assert refusal(visit_sequence=["a", "b"]) == (
        "visit_sequence leaves out 'g', which has cells to impute: add it, or set its method to an "
        "empty text"
    )


def test_passive_variables_need_not_be_visited() -> None:
    p = plan(BOYS, method=BMI, visit_sequence=["hgt", "wgt", "hc", "gen", "phb", "tv", "reg"])
    assert p.visit_sequence[-1] == "bmi"


# --- passive variables ----------------------------------------------------------------------------


def test_a_passive_variable_never_feeds_its_own_inputs() -> None:
    p = plan(BOYS, method=BMI)
    assert "bmi" not in p.predictors["hgt"]
    assert "bmi" not in p.predictors["wgt"]
    assert "bmi" in p.predictors["hc"]
    assert LoggedEvent("hgt", "'bmi' does not predict 'hgt', which it is computed from") in p.events


def test_not_even_through_another_one() -> None:
    p = plan(method={"b": "~ a * 2", "g": "~ where(b > 2, 'u', 'v')"})
    assert p.predictors["a"] == ("c",)


def test_a_passive_variable_counts_as_visited_when_its_inputs_are() -> None:
    p = plan(BOYS, method=BMI, where="all")
    found = p.sequential_predictors
    assert found["wgt"] == ("age", "hgt")
    assert found["hc"] == ("age", "hgt", "wgt", "bmi")
    assert "bmi" not in found


def test_a_passive_variable_is_recomputed_where_an_input_is_replaced() -> None:
    where = make_where(SMALL, "none")
    where.loc[[0, 3], "a"] = True
    p = plan(where=where, method={"c": "~ a + 1"})
    assert p.column(p.where, "c").tolist() == [True, False, False, True]
    assert LoggedEvent("c", "recomputed in 2 more rows") in p.events


def test_an_observed_passive_value_stays_where_an_input_was_missing() -> None:
    p = plan(method={"c": "~ a + 1"})
    assert not p.column(p.where, "c").any()


def test_bad_formulas_are_refused() -> None:
    assert refusal(method={"a": "~ b + z"}) == (
        "method of 'a': unknown column 'z'; the data have a, b, c, g"
    )
    assert "depend on each other in a circle" in refusal(method={"a": "~ b", "b": "~ a"})
    assert "method of 'a': unknown function 'open'" in refusal(method={"a": "~ open('x')"})


def test_a_formula_cannot_read_holes_that_stay() -> None:
    holes = SMALL.assign(a=[1.0, None, None, 4.0])
    message = "method of 'a' reads 'b', whose missing values stay: give it a method"
    assert refusal(holes, method={"a": "~ b", "b": ""}) == message
    # Where no hole is read, no harm is done.
    assert plan(method={"a": "~ b", "b": ""}).methods["b"] == ""


# --- post, ignore, k ------------------------------------------------------------------------------


def test_post_is_checked_when_planned() -> None:
    assert plan(post={"a": "clip(a, 1, 3)", "b": ""}).post == {"a": "clip(a, 1, 3)"}
    assert "post: unknown column 'z'" in refusal(post={"z": "1"})
    assert "post of 'a': unknown column 'z'" in refusal(post={"a": "z"})
    assert "post of 'a': Attribute is not allowed" in refusal(post={"a": "a.real"})
    message = refusal(method={"a": "~ b"}, post={"a": "clip(a, 1, 3)"})
    assert message == "post: 'a' is passive; put the correction into its formula"


def test_post_reads_what_is_drawn_already() -> None:
    post = {"b": "max(a, b)"}
    assert plan(where="all", post=post).post == post
    assert refusal(where="all", post=post, visit_sequence="arabic") == (
        "post of 'b' reads 'a', which is drawn later: visit it earlier"
    )
    assert "whose missing values stay" in refusal(
        SMALL.assign(a=[1.0, None, None, 4.0]), post=post, method={"a": ""}
    )


def test_ignored_rows_are_truth_values_and_not_all() -> None:
    assert plan(ignore=[True, False, False, False]).ignore.sum() == 1
    for ignore in ([True, False], [1, 0, 0, 0]):
        assert "ignore must be 4 times True or False" in refusal(ignore=ignore)
    assert refusal(ignore=[True] * 4) == "ignore leaves no row to fit a model on"


def test_a_variable_needs_a_value_to_learn_from() -> None:
    assert refusal(ignore=[True, False, True, True]) == (
        "column 'a' has no observed value to learn from: drop it or give it a formula"
    )
    assert plan(ignore=[True, False, True, True], method={"a": "~ c"}).methods["a"] == "~ c"


@pytest.mark.parametrize("name", ["m", "maxit"])
@pytest.mark.parametrize("number", [0, -1, 2.0, True, "5"])
def test_counts_are_whole_numbers(name: str, number: object) -> None:
    assert refusal(**{name: number}) == f"{name} must be a whole number of 1 or more"


def test_the_size_of_a_set_may_differ_in_a_full_sequential_synthesis() -> None:
    full = SMALL.dropna()
    assert plan(full, where="all", k=100).k == 100
    assert plan(full, where="all").k == 2
    assert "k must be a whole number" in refusal(full, where="all", k=0)
    assert "k must be a whole number" in refusal(full, where="all", k=1.5)
    for settings in (
        {"where": "missing"},
        {"where": "all", "conditioning": "observed"},
        {"where": "all", "method": {"a": ""}},
    ):
        message = refusal(full, k=100, **settings)
        assert message.startswith("k differs from the number of rows: set where='all'")


def test_conditioning_is_one_of_two() -> None:
    assert refusal(conditioning="real") == "conditioning must be 'synthetic' or 'observed'"


def test_a_syntax_error_names_the_setting() -> None:
    with pytest.raises(ExpressionError, match="post of 'a': 'a \\+' is not a formula"):
        plan(post={"a": "a +"})


def test_plan_errors_are_plan_errors() -> None:
    with pytest.raises(PlanError):
        plan(m=0)


# --- stages ---------------------------------------------------------------------------------------


def test_syntheses_of_each_imputation_need_both_stages() -> None:
    assert plan(where="all", r=3).r == 3
    message = "r counts the syntheses of each imputation"
    assert refusal(r=2).startswith(message)
    assert refusal(SMALL.dropna(), r=2, where="all").startswith(message)
    for number in (0, True, 1.5, "2"):
        assert refusal(r=number) == "r must be a whole number of 1 or more"


# --- options of single variables ------------------------------------------------------------------


def test_options_of_a_variable_are_those_of_its_method() -> None:
    p = plan(
        method={"a": "cart", "b": "cart"},
        method_options={"cart": {"minbucket": 3, "cp": 0.01}},
        variable_options={"a": {"minbucket": 9}},
    )
    assert p.options_of("a", "cart") == {"minbucket": 9, "cp": 0.01}
    assert p.options_of("b", "cart") == {"minbucket": 3, "cp": 0.01}
    # The state of a variable of two parts may have another method: it gets the options of that.
    assert p.options_of("a", "logreg") == {}


def test_options_of_a_variable_must_exist() -> None:
    method = {"a": "cart"}
    assert "variable_options: unknown column 'z'" in refusal(variable_options={"z": {}})
    assert "has no option 'depth'" in refusal(method=method, variable_options={"a": {"depth": 1}})
    assert "variable_options: 'c' has no method that could take options" in refusal(
        variable_options={"c": {"minbucket": 3}}
    )
    assert "variable_options must look like {'hgt':" in refusal(variable_options={"a": 3})
    assert "minbucket must be a whole number" in refusal(
        method=method, variable_options={"a": {"minbucket": 0}}
    )


# --- predictors left out --------------------------------------------------------------------------


def test_predictors_left_out_are_logged_for_variables_that_are_imputed() -> None:
    p = plan(method={"b": ""})
    assert LoggedEvent("a", "'b' does not predict 'a': its missing values stay") in p.events
    assert {e.variable for e in p.events} == {"a", "g"}


def test_missing_values_that_are_kept_predict() -> None:
    schema = infer_schema(SMALL, {"b": VariableOverride(keep_missing=True)})
    matrix = encode(SMALL, schema)
    p = make_plan(schema, schema.holes(matrix))
    assert p.methods["b"] == ""
    assert "b" in p.predictors["a"]
    assert p.events == ()


@pytest.mark.parametrize("setting", [{"smoothing": "spline"}, {"tail_support": 3}])
def test_what_refines_synthetic_values_is_refused_where_there_are_none(setting: Any) -> None:
    assert "no observed cell is replaced: leave them out" in refusal(**setting)
