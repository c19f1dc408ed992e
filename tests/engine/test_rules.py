"""Rules: rows in which a variable can have one value only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import Schema, VariableOverride, encode, infer_schema
from synth_tasks.engine import mice, synthesize
from synth_tasks.engine.rules import Rules
from synth_tasks.errors import ExpressionError, PlanError, SynthError
from tests.engine.builders import plan

N = 300
RNG = np.random.default_rng(0)
AGE = RNG.integers(0, 80, N)
FRAME = pd.DataFrame(
    {
        "age": AGE,
        "marital": np.where(AGE < 16, "single", RNG.choice(["single", "married"], N)),
        "income": np.where(AGE < 16, 0.0, 1000 + 10 * AGE + RNG.standard_normal(N)),
    }
)
SCHEMA = infer_schema(FRAME)
MATRIX = encode(FRAME, SCHEMA)
ALL = np.ones(N, dtype=bool)
CHILDREN = {"marital": {"age < 16": "single"}, "income": {"age < 16": 0.0}}


def refusal(rules: Any, frame: pd.DataFrame = FRAME, **settings: Any) -> str:
    with pytest.raises(SynthError) as caught:
        plan(frame, **{"where": "all", "rules": rules, **settings})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def kept(frame: pd.DataFrame, *names: str, **more: Any) -> Schema:
    overrides = {name: VariableOverride(keep_missing=True, **more) for name in names}
    return infer_schema(frame, overrides)


# --- reading --------------------------------------------------------------------------------------


def test_the_first_condition_that_holds_counts() -> None:
    rules = Rules({"income": {"age < 16": 0, "age < 30": 500, "age > 20": 900}}, SCHEMA)
    restricted, values = rules.restrict("income", MATRIX, ALL)
    expected = np.select([AGE < 16, AGE < 30, AGE > 20], [0, 500, 900], -1)
    np.testing.assert_array_equal(restricted, expected >= 0)
    np.testing.assert_array_equal(values[restricted], expected[restricted])


def test_only_the_rows_in_question_are_looked_at() -> None:
    rows = np.arange(N) < 10
    restricted, _ = Rules(CHILDREN, SCHEMA).restrict("income", MATRIX, rows)
    np.testing.assert_array_equal(restricted, AGE[:10] < 16)


def test_a_variable_without_rules_is_free() -> None:
    restricted, _ = Rules(CHILDREN, SCHEMA).restrict("age", MATRIX, ALL)
    assert not restricted.any()


def test_a_condition_may_hold_for_all_rows_or_none() -> None:
    for text, expected in (("1 > 0", N), ("1 < 0", 0)):
        restricted, _ = Rules({"income": {text: 1}}, SCHEMA).restrict("income", MATRIX, ALL)
        assert restricted.sum() == expected


def test_conditions_tell_what_they_read() -> None:
    rules = Rules({"income": {"age < 16": 0, "marital == 'single'": 1}}, SCHEMA)
    assert rules.reads("income") == {"age", "marital"}
    assert rules.reads("age") == frozenset()


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"marital": {"age < 16": "widowed"}}, "not one of its categories"),
        ({"income": {"age < 16": "none"}}, "not a number"),
        ({"income": {"age < 16": True}}, "not a number"),
        ({"income": {"age < 16": float("nan")}}, "not a number"),
        ({"income": {"age < 16": None}}, "missing, but its missing values are not kept"),
    ],
)
def test_a_value_is_one_that_the_variable_can_take(rules: dict, problem: str) -> None:
    (name,) = rules
    assert refusal(rules) == f"rules of '{name}': a value is {problem}: correct the rule"


def test_a_value_of_a_whole_number_is_whole() -> None:
    assert refusal({"age": {"income > 9": 1.5}}, visit_sequence="arabic").startswith(
        "rules of 'age': a value is "
    )


def test_conditions_are_checked_when_planned() -> None:
    assert "rules: unknown column 'z'" in refusal({"z": {"age < 16": 0}})
    assert "rules of 'income': unknown column 'z'" in refusal({"income": {"z < 16": 0}})
    assert "is not a formula" in refusal({"income": {"age <": 0}})
    assert "cannot read the variable itself" in refusal({"income": {"income < 9": 0}})
    assert "rules: 'income' is passive" in refusal(CHILDREN, method={"income": "~ age * 2"})


def test_a_rule_is_a_mapping_of_conditions() -> None:
    for rules in ({"income": "age < 16"}, {"income": ["age < 16"]}):
        assert "rules" in refusal(rules)


def test_a_rule_reads_what_is_drawn_already() -> None:
    assert refusal(CHILDREN, visit_sequence=["marital", "income", "age"]) == (
        "rules of 'marital' reads 'age', which is drawn later: visit it earlier"
    )
    holes = FRAME.assign(age=FRAME["age"].mask(AGE > 70).astype("Int64"))
    holes["income"] = holes["income"].mask(np.arange(N) < 9)
    assert "which is drawn later" in refusal(
        CHILDREN, holes, where="missing", visit_sequence=["income", "age"]
    )


def test_a_rule_that_reads_holes_which_stay_says_so() -> None:
    holes = FRAME.assign(age=FRAME["age"].mask(np.arange(N) < 9).astype("Int64"))
    holes["income"] = holes["income"].mask(np.arange(N) > 290)
    message = refusal(CHILDREN, holes, where="missing", method={"age": ""})
    assert "'age', whose missing values stay: give it a method" in message


def test_a_rule_for_a_passive_reading_is_in_order() -> None:
    p = plan(
        FRAME.assign(old=AGE * 2.0),
        where="all",
        method={"old": "~ age * 2"},
        rules={"income": {"old < 32": 0}},
    )
    assert p.rules == {"income": {"old < 32": 0}}


# --- missing values -------------------------------------------------------------------------------


def restricted_rows(frame: pd.DataFrame, schema: Schema, text: str) -> list[bool]:
    rules = Rules({"age": {text: 0}}, schema)
    return rules.restrict("age", encode(frame, schema), np.ones(len(frame), dtype=bool))[0].tolist()


KEPT = pd.DataFrame(
    {
        "age": [1, 2, 3],
        "x": [1.0, 5.0, None],
        "word": ["a", "b", None],
        "grade": [1.0, 2.0, None],
        "flag": pd.array([True, False, None], dtype="boolean"),
    }
)
KEPT_SCHEMA = infer_schema(
    KEPT,
    {
        "x": VariableOverride(keep_missing=True),
        "word": VariableOverride(keep_missing=True),
        "grade": VariableOverride(categories=(1.0, 2.0), keep_missing=True),
        "flag": VariableOverride(keep_missing=True),
    },
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("x > 2", [False, True, False]),
        ("x <= 2", [True, False, False]),
        ("x == 5", [False, True, False]),
        ("word == 'a'", [True, False, False]),
        ("flag", [True, False, False]),
        ("flag == 1", [True, False, False]),
        ("grade == 2", [False, True, False]),
    ],
)
def test_with_a_missing_value_no_comparison_holds(text: str, holds: list[bool]) -> None:
    assert restricted_rows(KEPT, KEPT_SCHEMA, text) == holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("x != 5", [True, False, False]),
        ("word != 'a'", [False, True, False]),
        ("grade != 2", [True, False, False]),
    ],
)
def test_not_even_that_of_difference(text: str, holds: list[bool]) -> None:
    assert restricted_rows(KEPT, KEPT_SCHEMA, text) == holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("grade > 1", [False, True, False]),
        ("flag and age < 3", [True, False, False]),
        ("age == 2 or flag", [True, True, False]),
    ],
)
def test_kept_missing_labels_combine_like_others(text: str, holds: list[bool]) -> None:
    assert restricted_rows(KEPT, KEPT_SCHEMA, text) == holds


def test_a_rule_may_set_a_missing_value_that_is_kept() -> None:
    frame = FRAME.assign(marital=FRAME["marital"].mask(AGE < 16))
    schema = kept(frame, "marital")
    rules = {"marital": {"age < 16": None}}
    made = synthesize(frame, m=2, schema=schema, rules=rules, seed=1).complete("stacked")
    np.testing.assert_array_equal(made["marital"].isna(), made["age"] < 16)
    pd.testing.assert_series_equal(made.dtypes, frame.dtypes)


# --- in a synthesis and an imputation -------------------------------------------------------------


@pytest.mark.parametrize("method", ["cart", "pmm", "sample"])
@pytest.mark.parametrize("proper", [False, True])
def test_a_rule_holds_in_all_sets(method: str, proper: bool) -> None:
    made = synthesize(FRAME, m=3, method=method, proper=proper, rules=CHILDREN, seed=1)
    for one in made.complete("all"):
        children = one["age"] < 16
        assert (one["marital"][children] == "single").all()
        assert (one["income"][children] == 0).all()
        # Children are kept out of the fit: no grown-up draws their zero.
        assert (one["income"][~children] > 900).all()


def test_restricted_rows_are_kept_out_of_the_fit() -> None:
    method = {"age": "cart", "marital": "cart", "income": "norm"}
    order = ["age", "marital", "income"]
    settings: dict[str, Any] = {"m": 5, "method": method, "visit_sequence": order, "seed": 1}

    def spread(**more: Any) -> float:
        made = synthesize(FRAME, **settings, **more).complete("stacked")
        grown = made[made["age"] >= 16]
        return float((grown["income"] - 1000 - 10 * grown["age"]).std())

    # The residual of grown-ups is standard normal; the children's zeros bend the line without rules.
    assert spread(rules=CHILDREN) == pytest.approx(1, abs=0.15)
    assert spread() > 50


def test_a_rule_holds_in_an_imputation() -> None:
    holes = FRAME.copy()
    gone = np.arange(N) % 3 == 0
    holes.loc[gone, ["marital", "income"]] = np.nan
    imputed = mice(holes, m=2, maxit=2, rules=CHILDREN, seed=1)
    for one in imputed.complete("all"):
        drawn = one[gone]
        assert (drawn["marital"][drawn["age"] < 16] == "single").all()
        assert (drawn["income"][drawn["age"] < 16] == 0).all()
        assert (drawn["income"][drawn["age"] >= 16] > 900).all()
        pd.testing.assert_frame_equal(one[~gone], FRAME[~gone])


def test_a_rule_follows_imputed_values() -> None:
    holes = FRAME.assign(age=FRAME["age"].mask(np.arange(N) % 4 == 0).astype("Int64"))
    holes["income"] = holes["income"].mask(np.arange(N) % 2 == 0)
    settings: dict[str, Any] = {"rules": {"income": {"age < 16": 0.0}}, "seed": 1}
    one = mice(holes, m=1, maxit=3, visit_sequence=["age", "income"], **settings).complete(1)
    drawn = one[np.arange(N) % 2 == 0]
    np.testing.assert_array_equal(drawn["income"] == 0, drawn["age"] < 16)


def test_a_stratum_in_which_everybody_is_restricted_is_set_as_well() -> None:
    frame = FRAME.assign(child=np.where(AGE < 16, "yes", "no"))
    made = synthesize(
        frame,
        m=2,
        strata="child",
        min_stratum_size=5,
        visit_sequence=["child", "age", "marital", "income"],
        rules={"income": {"child == 'yes'": 0.0}, "marital": {"child == 'yes'": "single"}},
        seed=1,
    ).complete("stacked")
    assert (made["income"][made["child"] == "yes"] == 0).all()
    assert (made["income"][made["child"] == "no"] > 900).all()
    assert (made["child"] == "yes").mean() == pytest.approx((AGE < 16).mean(), abs=0.08)


def test_post_processing_leaves_values_set_by_a_rule() -> None:
    made = synthesize(
        FRAME, m=1, rules=CHILDREN, post={"income": "max(income, 1500)"}, seed=1
    ).complete(1)
    np.testing.assert_array_equal(made["income"] == 0, made["age"] < 16)
    assert (made["income"][made["age"] >= 16] >= 1500).all()


def test_rules_of_cells_that_stay_change_nothing() -> None:
    where = pd.DataFrame(False, index=FRAME.index, columns=FRAME.columns).assign(income=AGE > 40)
    made = mice(
        FRAME, m=1, method="cart", where=where, rules={"income": {"age > 60": -1.0}}, seed=1
    ).complete(1)
    pd.testing.assert_frame_equal(made[AGE <= 40], FRAME[AGE <= 40])
    np.testing.assert_array_equal(made["income"] == -1, AGE > 60)


def test_bad_conditions_are_expression_errors() -> None:
    with pytest.raises(ExpressionError):
        plan(FRAME, where="all", rules={"income": {"age.max()": 0}})
    with pytest.raises(PlanError):
        plan(FRAME, where="all", rules={"income": {"age > 1": "x"}})
