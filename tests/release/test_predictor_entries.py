"""Which variables learn from which, as a specification says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.errors import PlanError, SpecError
from synth_tasks.release.preview import preview_release
from synth_tasks.release.spec import build_spec
from synth_tasks.release.stages import load_source
from tests.release.builders import write_gate

N_ROWS, N_COLUMNS = 300, 12
NAMES = [f"a{j}" for j in range(6)] + [f"b{j}" for j in range(6)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table in which each column is close to the one before it."""
    folder = tmp_path_factory.mktemp("site")
    steps = np.random.default_rng(2).normal(size=(N_ROWS, N_COLUMNS))
    walk = steps[:, :1] * 3 + steps.cumsum(axis=1)
    pd.DataFrame(walk.round(3), columns=NAMES).to_parquet(folder / "walk.parquet")
    write_gate(folder)
    return folder


def predictors(site: Path, **synthesis: Any) -> dict[str, tuple[str, ...]]:
    content = {
        "dataset": {"name": "walk", "source": {"parquet": "walk.parquet"}},
        "synthesis": {"m": 2, **synthesis},
        "policy": {"suite": "gate.json"},
    }
    spec = build_spec(content, base=site)
    shown = preview_release(spec, load_source(spec), cores=2).variables
    return {v.name: v.predictors for v in shown}


def test_the_strongest_of_those_before_a_variable_are_kept(site: Path) -> None:
    found = predictors(site, max_predictors=3)
    assert [len(found[name]) for name in NAMES] == [0, 1, 2, *[3] * 9]
    assert found["b5"] == ("b2", "b3", "b4")


def test_the_cap_follows_the_order_of_the_visits_and_what_is_kept(site: Path) -> None:
    backwards = predictors(site, max_predictors=2, visit_sequence="arabic")
    assert backwards["a0"] == ("a1", "a2")
    assert backwards["b5"] == ()
    assert predictors(site, max_predictors=2, keep=["b1"])["b0"] == ("a5", "b1")


def test_blocks_hold_and_key_variables_come_besides(site: Path) -> None:
    blocks = {"groups": {"a": ["a*"], "b": ["b*"]}, "always": ["a0"]}
    found = predictors(site, blocks=blocks, max_predictors=2)
    assert found["b5"] == ("a0", "b3", "b4")
    assert found["a3"] == ("a0", "a1", "a2")
    assert set(predictors(site, blocks=blocks)["b2"]) == {"a0", "b0", "b1"}


def test_what_is_stated_counts_more(site: Path) -> None:
    found = predictors(site, max_predictors=1, predictor_matrix={"b5": {"a0": 1, "b4": 0}})
    assert found["b5"] == ("a0",)


def test_a_cap_changes_nothing_where_it_does_not_bind(site: Path) -> None:
    assert predictors(site, max_predictors=11) == predictors(site)


@pytest.mark.parametrize(
    ("settings", "error", "reason"),
    [
        ({"blocks": {"groups": {"c": ["c*"]}}}, PlanError, r"synthesis: blocks: 'c' names the"),
        ({"max_predictors": 0}, SpecError, r"synthesis\.max_predictors"),
        ({"blocks": {"groups": {}}}, SpecError, r"synthesis\.blocks\.groups"),
    ],
)
def test_what_cannot_be_is_refused(
    site: Path, settings: dict[str, Any], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        predictors(site, **settings)
