"""Risk and utility of settings."""

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import encode, infer_schema
from synth_tasks.study.frontier import measure_setting, recommend
from synth_tasks.study.settings import Setting
from tests.study.builders import people, study_spec


def table(*rows: tuple[float, float, float]) -> pd.DataFrame:
    """Make a table of settings from risk, overlap and loss of coverage."""
    columns = ["copied_keys", "interval_overlap", "coverage_loss"]
    return pd.DataFrame(rows, columns=columns)


def test_the_safest_valid_setting_is_recommended() -> None:
    found = recommend(table((0.1, 0.9, 0.0), (0.01, 0.8, 0.02), (0.0, 0.5, 0.2)), tolerance=0.03)
    assert found["valid"].tolist() == [True, True, False]
    assert found["recommended"].tolist() == [False, True, False]


def test_among_equally_safe_ones_the_more_useful_is_recommended() -> None:
    found = recommend(table((0.0, 0.8, 0.0), (0.0, 0.9, 0.0)), tolerance=0.03)
    assert found["recommended"].tolist() == [False, True]


def test_nothing_is_recommended_if_nothing_is_valid() -> None:
    assert not recommend(table((0.0, 0.8, 0.5)), tolerance=0.03)["recommended"].any()


def test_a_setting_with_more_risk_and_less_use_than_another_is_not_efficient() -> None:
    found = recommend(table((0.1, 0.9, 0.0), (0.2, 0.8, 0.0), (0.0, 0.7, 0.0)), tolerance=0.03)
    assert found["efficient"].tolist() == [True, False, True]


@pytest.fixture(scope="module")
def figures() -> dict[int, dict[str, float]]:
    frame = people(200)
    schema = infer_schema(frame)
    spec = study_spec(frontier={"replicates": 20}, disclosure={"keys": ["x", "y"]})
    matrix = encode(frame, schema)
    return {
        size: measure_setting(spec, Setting(1, {"minbucket": size}), schema, matrix, 1)
        for size in (1, 10)
    }


def test_small_leaves_copy_many_more_people_than_large_ones(
    figures: dict[int, dict[str, float]],
) -> None:
    assert figures[1]["copied_keys"] > 0.5
    assert figures[10]["copied_keys"] < 0.2
    assert figures[1]["repU"] > 3 * figures[10]["repU"]


def test_risk_is_that_of_sets_after_disclosure_control() -> None:
    frame = people(200)
    schema = infer_schema(frame)
    matrix = encode(frame, schema)
    settings = {"frontier": {"replicates": 20}, "disclosure": {"keys": ["x", "y"]}}
    steps = [{"step": "drop_replicated_uniques"}]
    as_drawn, controlled = (
        measure_setting(
            study_spec(**settings, sdc=sdc), Setting(1, {"minbucket": 3}), schema, matrix, 1
        )
        for sdc in ([], steps)
    )
    assert as_drawn["repU"] > 0
    assert controlled["repU"] == 0
    assert controlled["coverage_loss"] == as_drawn["coverage_loss"]


def test_every_figure_is_finite(figures: dict[int, dict[str, float]]) -> None:
    for found in figures.values():
        assert np.isfinite(list(found.values())).all()
        assert {"copied_keys", "coverage_loss", "interval_overlap"} <= found.keys()
