"""Suites of expectations: what is loaded, what is refused, and what of the data a result may tell."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import expectations
from expectations.suites import check_suite, load_suite, run_suite
from synth_tasks.errors import SpecError, SynthError, ValidationError
from synth_tasks.release.results import SEVERITIES
from tests.release.builders import people_spec

FOLDER = Path(expectations.__file__).parent
SHIPPED = sorted(p.relative_to(FOLDER.parent).as_posix() for p in FOLDER.rglob("*.json"))
MARKER = 918273.645
LABEL = "Q918273Z"


def item(kind: str, severity: str = "critical", **kwargs) -> dict:
    return {"type": kind, "kwargs": kwargs, "severity": severity}


def suite(*items: dict) -> dict:
    return {"name": "test", "expectations": list(items)}


def between(column: str, low: float, high: float, **more) -> dict:
    return item(
        "expect_column_values_to_be_between", column=column, min_value=low, max_value=high, **more
    )


TABLE = pd.DataFrame(
    {
        "x": [1.0, 2.0, MARKER, np.nan],
        "g": pd.Categorical(["a", "b", LABEL, "a"]),
        "t": ["u", "v", LABEL, "u"],
    }
)
COMPLETE = item("expect_column_values_to_not_be_null", column="x")
BOUNDED = between("x", 0, 10)


# --- files ----------------------------------------------------------------------------------------


def test_the_suites_of_the_package_are_found():
    assert {"expectations/boys/gate.json", "expectations/default/gate.json"} <= set(SHIPPED)
    assert len(SHIPPED) >= 5


@pytest.mark.parametrize("path", SHIPPED)
def test_a_shipped_suite_loads_and_explains_itself(path, tmp_path):
    loaded = load_suite(people_spec(tmp_path), path)
    # All policies are gates, whatever the profile: reports look for that name.
    assert loaded["name"] == ("gate" if "default" in path else Path(path).stem)
    descriptions = [e["description"] for e in loaded["expectations"]]
    assert all(descriptions)
    assert len(set(descriptions)) == len(descriptions)
    assert {e["severity"] for e in loaded["expectations"]} <= set(SEVERITIES)
    assert any(e["severity"] == "critical" for e in loaded["expectations"])


def test_a_suite_beside_the_spec_comes_before_a_shipped_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = "expectations/default/gate.json"
    shipped = load_suite(people_spec(tmp_path), path)
    assert shipped["name"] == "gate"
    (tmp_path / "expectations" / "default").mkdir(parents=True)
    (tmp_path / path).write_text(json.dumps(suite(COMPLETE)))
    assert load_suite(people_spec(tmp_path), path)["name"] == "test"


@pytest.mark.parametrize(
    "path", ["nowhere.json", "expectations/nowhere.json", "expectations/../pyproject.toml", "/x"]
)
def test_a_missing_suite_is_named(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match=r"file not found: '.*' .looked in"):
        load_suite(people_spec(tmp_path), path)


@pytest.mark.parametrize("content", ["", "{", "not json", "\x00", "[" * 100_000])
def test_a_file_that_is_no_json_is_refused(tmp_path, content):
    (tmp_path / "suite.json").write_text(content)
    with pytest.raises(SpecError, match=r"'suite.json' cannot be read as JSON: mend the file$"):
        load_suite(people_spec(tmp_path), "suite.json")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ([], "is not a suite: it needs name and expectations"),
        ({"name": "x"}, "is not a suite: it needs name and expectations"),
        ({"expectations": [COMPLETE]}, "is not a suite: it needs name and expectations"),
        ({"name": None, "expectations": [COMPLETE]}, "is not a suite"),
        (suite(), "holds no expectation: an empty suite passes anything"),
        (suite("expect"), "expectation 1 of 's.json' needs type and kwargs"),
        (suite(COMPLETE, {"type": "expect"}), "expectation 2 of 's.json' needs type and kwargs"),
        (suite({"kwargs": {}}), "expectation 1 of 's.json' needs type and kwargs"),
        (suite({**COMPLETE, "meta": "text"}), "expectation 1 of 's.json' needs type and kwargs"),
        (
            suite({**COMPLETE, "severity": "fatal"}),
            "has an unknown severity: use critical, warning",
        ),
        (suite({**COMPLETE, "severity": None}), "has an unknown severity: use critical, warning"),
    ],
)
def test_a_malformed_suite_is_refused(content, named):
    with pytest.raises(SpecError) as caught:
        check_suite(content, "s.json")
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "condition",
    [
        '@__import__("os").mkdir("run")',
        '@pd.io.common.os.mkdir("run")',
        'x.to_csv("run") == 1',
        'g == "\\" and t == " or @pd.io.common.os.mkdir("run") or "',
        "`x` > 1",
        '__import__("os").mkdir("run")',
        "x > 1; y",
        "x > 1 # comment",
        "",
        {"type": "comparison"},
        ["x > 1"],
    ],
)
def test_a_row_condition_that_is_more_than_comparisons_is_refused(tmp_path, monkeypatch, condition):
    monkeypatch.chdir(tmp_path)
    hostile = between("x", 0, 10, row_condition=condition, condition_parser="pandas")
    with pytest.raises(SpecError, match="row_condition of expectation 1 of 'test'"):
        run_suite(suite(hostile), TABLE, subject="table")
    assert os.listdir(tmp_path) == []


# --- nothing is dropped ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        item("expect_the_unexpected", column="x"),
        item("expect_column_values_to_be_between", column="x", minimum=1),
        item("expect_column_values_to_not_be_null"),
    ],
)
def test_an_expectation_that_great_expectations_would_drop_is_an_error(bad):
    with pytest.raises(ValidationError, match=f"expectation 2 .'{bad['type']}'. is unknown or has"):
        run_suite(suite(COMPLETE, bad, COMPLETE), TABLE, subject="table")


def test_an_empty_suite_is_an_error_and_no_success():
    with pytest.raises(SynthError, match="an empty suite passes anything"):
        run_suite(suite(), TABLE, subject="table")


def test_a_missing_parameter_is_an_error():
    rows = item("expect_table_row_count_to_equal", value={"$PARAMETER": "n_rows"})
    with pytest.raises(ValidationError, match="suite 'test' cannot be evaluated"):
        run_suite(suite(rows), TABLE, subject="table")


@pytest.mark.parametrize(("n_rows", "success"), [(4, True), (5, False)])
def test_parameters_reach_the_suite(n_rows, success):
    rows = item("expect_table_row_count_to_equal", value={"$PARAMETER": "n_rows"})
    result = run_suite(suite(rows), TABLE, subject="table", parameters={"n_rows": n_rows})
    assert result.passed is success


def test_results_come_in_the_order_of_the_file_whatever_fails():
    good, bad = between("x", 0, 1e9), between("x", 0, 1)
    items = [
        {**(bad if i % 2 else good), "description": str(i), "severity": SEVERITIES[i % 3]}
        for i in range(9)
    ]
    result = run_suite(suite(*items), TABLE, subject="table")
    assert [c.description for c in result.checks] == [str(i) for i in range(9)]
    assert [c.success for c in result.checks] == [i % 2 == 0 for i in range(9)]
    assert [c.severity for c in result.checks] == [SEVERITIES[i % 3] for i in range(9)]


def test_the_same_expectation_twice_counts_twice():
    assert len(run_suite(suite(BOUNDED, BOUNDED), TABLE, subject="table").checks) == 2


def test_a_suite_as_great_expectations_saves_it_runs():
    saved = {**COMPLETE, "id": None, "notes": None, "meta": None, "description": None}
    result = run_suite({**suite(saved), "meta": {}, "notes": None}, TABLE, subject="table")
    assert result.checks[0].description == 'column values to not be null (column = "x")'
    assert not result.passed


def test_severity_source_and_subject_are_kept():
    explained = {**BOUNDED, "severity": "info", "meta": {"source": "policy"}}
    result = run_suite(suite(explained), TABLE, subject="set 3")
    assert (result.suite, result.subject) == ("test", "set 3")
    assert (result.checks[0].severity, result.checks[0].source) == ("info", "policy")
    assert result.passed


# --- what a result tells --------------------------------------------------------------------------


def test_failures_give_counts():
    result = run_suite(suite(COMPLETE, BOUNDED), TABLE, subject="table")
    assert [c.detail for c in result.checks] == ["1 of 4 unexpected", "1 of 4 unexpected"]


@pytest.mark.parametrize(
    "failing",
    [
        BOUNDED,
        item("expect_column_values_to_be_in_set", column="g", value_set=["a", "b"]),
        item("expect_column_values_to_be_in_set", column="t", value_set=["u", "v"]),
        item("expect_column_values_to_match_regex", column="t", regex="^.$"),
        item("expect_column_value_lengths_to_equal", column="t", value=1),
        item("expect_column_max_to_be_between", column="x", max_value=10),
        item("expect_column_mean_to_be_between", column="x", max_value=10),
        item("expect_column_sum_to_be_between", column="x", max_value=10),
        item("expect_column_distinct_values_to_be_in_set", column="t", value_set=["u", "v"]),
        item("expect_column_most_common_value_to_be_in_set", column="t", value_set=["v"]),
        item("expect_column_values_to_be_unique", column="t"),
        item("expect_column_pair_values_to_be_equal", column_A="g", column_B="x"),
        item("expect_column_values_to_be_of_type", column="x", type_="int64"),
        between("t", 0, 10),
        between(LABEL, 0, 10),
    ],
)
def test_a_failure_shows_no_value_of_the_data(failing, caplog, capfd):
    with_row = {**failing, "description": "described"}
    result = run_suite(suite(with_row), TABLE, subject="table")
    assert not result.passed
    output = capfd.readouterr()
    for text in (repr(result), json.dumps(result.to_dict()), caplog.text, output.out, output.err):
        assert "918273" not in text.replace(f"column = {LABEL}", "")
        assert "Traceback" not in text


def test_a_missing_column_fails_its_check_and_no_other():
    result = run_suite(suite(between("y", 0, 1), COMPLETE), TABLE.assign(x=1.0), subject="table")
    assert [c.success for c in result.checks] == [False, True]
    expected = "could not be evaluated: the column is missing or of another kind"
    assert result.checks[0].detail == expected


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    temporary, current = tmp_path / "temporary", tmp_path / "current"
    temporary.mkdir()
    current.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.chdir(current)
    run_suite(suite(COMPLETE, BOUNDED), TABLE, subject="table")
    assert os.listdir(temporary) == []
    assert os.listdir(current) == []


def test_the_table_is_not_changed():
    before = TABLE.copy()
    run_suite(suite(COMPLETE, BOUNDED), TABLE, subject="table")
    pd.testing.assert_frame_equal(TABLE, before)
