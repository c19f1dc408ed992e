from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.errors import SynthError
from synth_tasks.release.comparison import Comparison, compare_releases
from synth_tasks.release.contents import ReleaseContents

NUMBER = {"name": "hgt", "type": "number", "constraints": {"required": True}}
LABEL = {"name": "reg", "type": "string", "constraints": {"enum": ["north", "south"]}}
DAY = {"name": "visit", "type": "date", "constraints": {"required": False}}
HEIGHTS = (160.0, 170.0, 180.0, 190.0)


def make_set(heights: tuple[float, ...] = HEIGHTS, regions: str = "nsns") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "hgt": heights,
            "reg": [{"n": "north", "s": "south"}[r] for r in regions],
            "visit": pd.to_datetime(["2024-01-01", "2024-01-03", "2024-01-05", None]),
        }
    )


def make_gate(passed: bool = True) -> dict[str, Any]:
    words = {"suite": "gate", "subject": "ledger", "description": "no copies"}
    return {**words, "severity": "critical", "passed": passed}


def make_manifest(**changes: Any) -> dict[str, Any]:
    return {
        "name": "people",
        "version": "1-abababab",
        "spec": {"synthesis": {"m": 2, "options": {"cart": {"minbucket": 10}}}},
        "data_digest": "d",
        "gates": [make_gate()],
        "files": {"data/people-1.csv": {"bytes": 1, "sha256": "x"}},
        "packages": {"numpy": "2.0"},
        **changes,
    }


def make_contents(**changes: Any) -> ReleaseContents:
    ledger = pd.DataFrame(
        {
            "family": "disclosure",
            "metric": "self_linkage",
            "target": np.nan,
            "keys": np.nan,
            "set": [1, 2],
            "value": [0.01, 0.03],
        }
    )
    estimates = pd.DataFrame(
        {"analysis": "ols: hgt ~ reg", "term": ["(Intercept)", "regsouth"]}
        | {"estimate": [175.0, 2.0], "std_error": [1.0, 0.5]}
    )
    given: dict[str, Any] = {
        "manifest": make_manifest(),
        "fields": {"hgt": NUMBER, "reg": LABEL, "visit": DAY},
        "sets": (make_set(), make_set()),
        "ledger": ledger,
        "estimates": estimates,
    }
    return ReleaseContents(**(given | changes))


def compare(**changes: Any) -> Comparison:
    return compare_releases(make_contents(), make_contents(**changes))


def differing(comparison: Comparison) -> list[str]:
    return [s.title for s in comparison.sections if len(s.differences)]


def rows(comparison: Comparison, title: str) -> list[dict[str, Any]]:
    (section,) = [s for s in comparison.sections if s.title == title]
    return section.differences.to_dict("records")


def test_a_release_is_unchanged_compared_with_itself() -> None:
    comparison = compare()
    assert not comparison.changed
    assert differing(comparison) == []
    assert comparison.to_markdown().startswith("# The release of people is unchanged\n")


def test_another_version_packages_and_bytes_are_no_change() -> None:
    comparison = compare(
        manifest=make_manifest(
            version="7-cdcdcdcd",
            packages={"numpy": "2.1"},
            files={"data/people-1.csv": {"bytes": 2, "sha256": "y"}},
        )
    )
    assert not comparison.changed
    assert differing(comparison) == ["Packages"]
    assert rows(comparison, "Packages") == [
        {"what": "numpy", "published": "2.0", "made anew": "2.1"}
    ]
    assert "## Packages (no change of the release)" in comparison.to_markdown()


@pytest.mark.parametrize(("relative", "changed"), [(1e-12, False), (1e-6, True)])
def test_the_last_digits_do_not_count(relative: float, changed: bool) -> None:
    heights = tuple(h * (1 + relative) for h in HEIGHTS)
    contents = make_contents()
    estimates = contents.estimates.assign(estimate=lambda e: e["estimate"] * (1 + relative))
    comparison = compare(sets=(make_set(heights), make_set(heights)), estimates=estimates)
    assert comparison.changed is changed


def test_cells_are_counted_in_the_sets_and_shown_as_distributions() -> None:
    taller = make_set((160.0, 170.0, 180.0, 198.0), "nsss")
    comparison = compare(sets=(make_set(), taller))
    assert differing(comparison) == ["Synthetic sets", "Distributions"]
    assert rows(comparison, "Synthetic sets") == [
        {"set": 2, "published": "4 × 3", "made anew": "4 × 3", "cells that differ": "2 of 12"}
    ]
    found = {row["what"]: row for row in rows(comparison, "Distributions")}
    # The mean of eight heights rises by 8 / 8 = 1; their standard deviation is √(1000 / 7) = 11.95.
    assert found["hgt, mean"] == {
        "what": "hgt, mean", "published": "175", "made anew": "176", "difference": "+0.084 sd",
    }  # fmt: skip
    assert found["reg, share of south"]["difference"] == "+12 points"
    assert found["reg, share of north"]["made anew"] == "0.375"
    assert "hgt, median" not in found


def test_days_are_compared_too() -> None:
    later = make_set()
    later["visit"] += pd.Timedelta(1, "D")
    comparison = compare(sets=(make_set(), later))
    assert rows(comparison, "Synthetic sets")[0]["cells that differ"] == "3 of 12"
    assert rows(comparison, "Distributions")[0]["what"] == "visit, mean (days since 1970)"


def test_a_value_that_is_missing_now_is_a_difference() -> None:
    holes = make_set()
    holes.loc[1, "visit"] = pd.NaT
    comparison = compare(sets=(make_set(), holes))
    assert rows(comparison, "Synthetic sets")[0]["cells that differ"] == "1 of 12"
    assert any(
        r["what"].startswith("visit, share missing") for r in rows(comparison, "Distributions")
    )


@pytest.mark.parametrize(
    ("sets", "made_anew"),
    [((make_set(),), "–"), ((make_set(), make_set().head(3)), "3 × 3")],
    ids=["a set less", "a row less"],
)
def test_sets_of_another_number_or_shape_are_told(sets: Any, made_anew: str) -> None:
    (row,) = rows(compare(sets=sets), "Synthetic sets")
    assert row == {
        "set": 2,
        "published": "4 × 3",
        "made anew": made_anew,
        "cells that differ": "another shape",
    }


def test_a_variable_that_came_and_one_that_went_are_told_by_name() -> None:
    renamed = make_set().rename(columns={"hgt": "height"})
    fields = {"height": NUMBER, "reg": LABEL, "visit": DAY}
    comparison = compare(sets=(renamed, renamed), fields=fields)
    assert {"what": "hgt.type", "published": "number", "made anew": "–"} in rows(
        comparison, "Schema"
    )
    assert rows(comparison, "Schema")[0]["made anew"] == "height, reg, visit"
    assert rows(comparison, "Synthetic sets")[0]["cells that differ"] == "4 of 12"


def test_a_changed_category_is_a_change_of_the_schema() -> None:
    wider = LABEL | {"constraints": {"enum": ["north", "south", "west"]}}
    comparison = compare(fields={"hgt": NUMBER, "reg": wider, "visit": DAY})
    assert differing(comparison) == ["Schema"]
    assert rows(comparison, "Schema")[0]["what"] == "reg.constraints.enum"


def test_a_setting_is_named_by_its_path() -> None:
    spec = {"synthesis": {"m": 2, "options": {"cart": {"minbucket": 3}}}}
    (row,) = rows(compare(manifest=make_manifest(spec=spec)), "Settings")
    assert row == {
        "what": "spec.synthesis.options.cart.minbucket",
        "published": "10",
        "made anew": "3",
    }


def test_a_verdict_that_turned_is_told_with_its_severity() -> None:
    (row,) = rows(compare(manifest=make_manifest(gates=[make_gate(False)])), "Verdicts")
    assert row == {
        "what": "gate, ledger: no copies",
        "published": "passed",
        "made anew": "failed (critical)",
    }


def test_figures_of_the_gate_are_averaged_over_sets() -> None:
    ledger = make_contents().ledger.assign(value=[0.01, 0.05])
    (row,) = rows(compare(ledger=ledger), "Figures of the gate")
    assert row == {"what": "self_linkage", "published": "0.02", "made anew": "0.03"}


def test_a_figure_that_is_new_stands_against_nothing() -> None:
    ledger = make_contents().ledger
    other = ledger.assign(metric="disco", target="reg")
    (row,) = rows(compare(ledger=pd.concat([ledger, other])), "Figures of the gate")
    assert row == {"what": "disco, reg", "published": "–", "made anew": "0.02"}


def test_estimates_differ_in_published_standard_errors() -> None:
    estimates = make_contents().estimates.assign(estimate=[175.0, 2.2], std_error=[1.0, 0.6])
    (row,) = rows(compare(estimates=estimates), "Pooled estimates")
    assert row == {
        "what": "ols: hgt ~ reg, regsouth",
        "published": "2",
        "made anew": "2.2",
        "difference": "+0.4 se",
        "ratio of std. errors": "1.2",
    }


def test_a_wider_interval_alone_is_a_change() -> None:
    estimates = make_contents().estimates.assign(std_error=[1.0, 1.0])
    (row,) = rows(compare(estimates=estimates), "Pooled estimates")
    assert (row["difference"], row["ratio of std. errors"]) == ("+0 se", "2")


def test_a_vanishing_estimate_is_compared_on_the_scale_of_its_error() -> None:
    estimates = make_contents().estimates
    zero = make_contents(estimates=estimates.assign(estimate=[175.0, 1e-17]))
    other = make_contents(estimates=estimates.assign(estimate=[175.0, -3e-17]))
    assert not compare_releases(zero, other).changed
    small = make_contents(estimates=estimates.assign(estimate=1e-12, std_error=1e-12))
    twice = make_contents(estimates=estimates.assign(estimate=2e-12, std_error=1e-12))
    assert compare_releases(small, twice).changed


def test_releases_without_analyses_are_compared() -> None:
    without = make_contents(estimates=pd.DataFrame())
    assert not compare_releases(without, without).changed
    (first, _) = rows(compare_releases(without, make_contents()), "Pooled estimates")
    assert (first["published"], first["made anew"]) == ("–", "175")


def test_a_file_that_was_added_is_named() -> None:
    files = make_manifest()["files"] | {"data/synthesizer.json": {"bytes": 1, "sha256": "z"}}
    comparison = compare(manifest=make_manifest(files=files))
    assert comparison.changed
    assert rows(comparison, "Files")[0]["what"] == "data/synthesizer.json"


def test_releases_of_different_data_are_not_compared() -> None:
    other = replace(make_contents(), manifest=make_manifest(name="pets"))
    with pytest.raises(SynthError, match="releases of 'people' and of 'pets'"):
        compare_releases(make_contents(), other)


def test_a_bar_in_a_name_does_not_break_the_table() -> None:
    estimates = make_contents().estimates.assign(term=["G1|G2", "regsouth"])
    text = compare(estimates=estimates).to_markdown()
    lines = [line for line in text.splitlines() if "ols: hgt ~ reg" in line]
    assert any(r"G1\|G2" in line for line in lines)
    assert {line.replace(r"\|", "").count("|") for line in lines} == {6}
