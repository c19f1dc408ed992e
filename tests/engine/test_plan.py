"""A plan can be printed, stored and read back."""

from __future__ import annotations

import numpy as np

from synth_tasks.data import VariableOverride, encode, infer_schema
from synth_tasks.datasets import load_boys
from synth_tasks.engine import make_where
from synth_tasks.engine.mice import run_plan
from synth_tasks.engine.plan import ImputationPlan
from synth_tasks.engine.planning import plan_and_fill
from tests.engine.builders import plan

BOYS = load_boys()
BMI = {"bmi": "~ I(wgt / (hgt/100)^2)"}


def test_a_plan_survives_json() -> None:
    where = make_where(BOYS)
    where.loc[::3, "age"] = True
    p = plan(
        BOYS,
        m=3,
        maxit=2,
        method={**BMI, "tv": "cart"},
        where=where,
        post={"tv": "clip(tv, 1, 25)"},
        ignore=np.arange(748) % 5 == 0,
        proper=True,
        predictor_matrix={"hgt": {"reg": 0}},
        method_options={"cart": {"minbucket": 3, "cp": 1e-8}},
    )
    again = ImputationPlan.from_json(p.to_json())
    assert again.to_json() == p.to_json()
    for name in ("where", "missing", "ignore"):
        np.testing.assert_array_equal(getattr(again, name), getattr(p, name))
    assert again.schema == p.schema
    assert again.events == p.events
    assert again.passive.order == ["bmi"]
    assert (again.m, again.maxit, again.k, again.proper) == (3, 2, 748, True)
    assert again.sequential_predictors == p.sequential_predictors


def test_a_plan_prints_as_a_table() -> None:
    text = str(plan(where="all", method="cart", m=2))
    assert text.splitlines()[0] == "m = 2, maxit = 5, conditioning on synthetic values"
    words = [line.split() for line in text.splitlines()[1:]]
    assert words[0] == ["variable", "kind", "method", "cells", "predictors"]
    assert words[1] == ["a", "numeric", "sample", "4", "-"]
    assert words[4] == ["g", "binary", "cart", "4", "a,", "b,", "c"]
    assert "b, c, g" in str(plan())


def test_a_plan_of_nothing_prints() -> None:
    assert str(plan(where="none")).startswith("m = 5")


def test_all_settings_survive_json_and_draw_the_same_bytes() -> None:
    boys = BOYS.iloc[::3]
    schema = infer_schema(
        boys,
        {
            "tv": VariableOverride(keep_missing=True, spikes=(2.0,)),
            "gen": VariableOverride(keep_missing=True),
        },
    )
    p, matrix = plan_and_fill(
        encode(boys, schema),
        schema,
        m=2,
        r=2,
        maxit=1,
        method={"wgt": "norm", **dict.fromkeys(["age", "hgt", "hc", "gen", "phb", "tv"], "cart")},
        where="all",
        formulas={"wgt": "age + I(hgt^2)"},
        rules={"tv": {"age < 8": 2, "age < 9": None}, "gen": {"age < 5": "G1"}},
        strata="reg",
        min_stratum_size=60,
        smoothing={"hgt": "spline", "hc": "density"},
        tail_support=3,
        variable_options={"hc": {"minbucket": 9}},
    )
    again = ImputationPlan.from_json(p.to_json())
    assert again.to_json() == p.to_json()
    assert again.schema == p.schema
    for name in ("r", "formulas", "rules", "smoothing", "tail_support", "strata"):
        assert getattr(again, name) == getattr(p, name)
    assert again.min_stratum_size == 60
    assert again.variable_options == {"hc": {"minbucket": 9}}
    drawn, drawn_again = (run_plan(x, matrix, boys.index, seed=1) for x in (p, again))
    assert [s.tobytes() for s in drawn.sets] == [s.tobytes() for s in drawn_again.sets]
    assert drawn.m == 4


def test_events_survive_json_with_their_place() -> None:
    p = plan(BOYS, method=BMI)
    assert ImputationPlan.from_json(p.to_json()).events == p.events
    assert p.events


def test_a_plan_with_a_derived_column_survives_json() -> None:
    frame = BOYS.assign(inches=BOYS["hgt"] / 2.54)
    schema = infer_schema(frame)
    p, _ = plan_and_fill(encode(frame, schema), schema, where="all", method="cart")
    again = ImputationPlan.from_json(p.to_json())
    assert again.methods["inches"] == "derived"
    assert again.predictors["inches"] == ("hgt",)
