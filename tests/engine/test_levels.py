"""Categories that a synthesis loses are spoken about."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import VariableOverride, infer_schema
from synth_tasks.engine import synthesize
from synth_tasks.engine.levels import lost_levels, never_drawn
from synth_tasks.engine.plan import LoggedEvent

N = 200
LABELS = np.array(["common"] * (N - 1) + ["rare"])
FRAME = pd.DataFrame({"x": np.arange(float(N)), "g": LABELS})
SCHEMA = infer_schema(FRAME)


def test_lost_levels_are_counted() -> None:
    before = np.array([0.0, 1.0, 2.0, np.nan])
    assert lost_levels(before, np.array([0.0])) == 2
    assert lost_levels(before, np.array([2.0, 1.0, 0.0])) == 0
    assert lost_levels(before, np.array([np.nan])) == 3
    assert lost_levels(np.array([0.0]), np.array([3.0])) == 1
    assert lost_levels(np.array([np.nan]), np.array([0.0])) == 0


def test_a_category_must_occur_in_some_set() -> None:
    real = np.array([[1.0, 0.0], [2.0, 1.0]])
    without, with_it = np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]])
    assert never_drawn(SCHEMA, real, [without, with_it], ["x", "g"]) == []
    assert never_drawn(SCHEMA, real, [without, without], ["x", "g"]) == [
        LoggedEvent("g", "1 of its categories occur in none of the 2 sets")
    ]
    assert never_drawn(SCHEMA, real, [without], ["x"]) == []


def test_a_category_without_training_row_is_warned_about() -> None:
    ignore = LABELS == "rare"
    with pytest.warns(UserWarning, match="'g': 1 of its categories occur in no training row"):
        made = synthesize(FRAME, m=1, ignore=ignore, seed=1)
    texts = made.logged_events.query("variable == 'g'")["event"].tolist()
    assert "1 of its categories occur in no training row: they cannot be drawn" in texts
    assert "1 of its categories occur in none of the 1 sets" in texts


def test_no_label_is_ever_written() -> None:
    with pytest.warns(UserWarning, match="categories") as caught:
        made = synthesize(FRAME, m=1, ignore=LABELS == "rare", seed=1)
    for text in [*made.logged_events["event"], *(str(w.message) for w in caught)]:
        assert "rare" not in text


def test_a_category_that_only_a_rule_gives_is_no_loss() -> None:
    rules = {"g": {"x > 198": "rare"}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        synthesize(FRAME, m=1, rules=rules, seed=1)


def test_a_full_synthesis_is_quiet() -> None:
    frame = FRAME.assign(g=np.where(np.arange(N) % 2 == 0, "u", "v"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = synthesize(frame, m=1, seed=1)
    assert not made.logged_events["event"].str.contains("categories").any()


def test_missing_values_that_are_kept_are_no_category() -> None:
    frame = FRAME.assign(g=pd.Series(np.where(np.arange(N) % 2 == 0, "u", "v")))
    frame.loc[0, "g"] = None
    schema = infer_schema(frame, {"g": VariableOverride(keep_missing=True)})
    made = synthesize(frame, m=1, schema=schema, seed=1)
    assert not made.logged_events["event"].str.contains("categories").any()
