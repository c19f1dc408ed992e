"""The settings of a grid."""

import pytest
from pydantic import ValidationError

from synth_tasks.errors import SpecError
from synth_tasks.release.sections import FrontierSpec
from synth_tasks.study.settings import Setting, apply_setting, list_settings
from tests.study.builders import study_spec


def test_all_combinations_are_listed_and_numbered() -> None:
    spec = study_spec(frontier={"grid": {"minbucket": [3, 10], "smoothing": [None, "spline"]}})
    settings = list_settings(spec)
    assert [s.number for s in settings] == [1, 2, 3, 4]
    assert settings[1].values == {"minbucket": 3, "smoothing": "spline"}
    assert settings[0].label == "minbucket 3, smoothing none"


def test_a_key_of_the_synthesis_takes_the_place_of_the_specifications() -> None:
    changed = apply_setting(study_spec(), Setting(1, {"m": 7, "visit_sequence": ["y", "x"]}))
    assert changed.synthesis.m == 7
    assert changed.synthesis.visit_sequence == ["y", "x"]


def test_any_other_name_is_an_option_of_the_method() -> None:
    changed = apply_setting(study_spec(), Setting(1, {"minbucket": 20}))
    assert changed.synthesis.options["cart"] == {"minbucket": 20}


def test_other_options_stay() -> None:
    spec = study_spec(synthesis={"m": 2, "options": {"cart": {"cp": 0.1}, "pmm": {"donors": 3}}})
    changed = apply_setting(spec, Setting(1, {"minbucket": 20}))
    assert changed.synthesis.options == {"cart": {"cp": 0.1, "minbucket": 20}, "pmm": {"donors": 3}}


def test_a_value_that_is_not_allowed_is_named_with_its_setting() -> None:
    with pytest.raises(SpecError, match=r"synthesis\.m.*\(m 1\)"):
        apply_setting(study_spec(), Setting(1, {"m": 1}))


@pytest.mark.parametrize(
    ("grid", "reason"),
    [
        ({}, "needs a setting"),
        ({"minbucket": []}, "at least 1 item"),
        ({"minbucket": list(range(1, 21)), "cp": [0.1 * i for i in range(11)]}, "220 combinations"),
    ],
)
def test_a_grid_without_end_or_without_content_is_refused(
    grid: dict[str, list[object]], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        FrontierSpec(grid=grid)
