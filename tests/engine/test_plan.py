"""A plan can be printed, stored and read back."""

from __future__ import annotations

import numpy as np

from synth_tasks.datasets import load_boys
from synth_tasks.engine import make_where
from synth_tasks.engine.plan import ImputationPlan
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
    assert again.sequential_predictors() == p.sequential_predictors()


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
