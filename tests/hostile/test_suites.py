import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from expectations.suites import check_suite, load_suite, run_suite
from synth_tasks.release.spec import build_spec
from synth_tasks.tasks.validate import check_policy
from tests.hostile.strategies import JSON, TEXTS, cases, only_typed_errors, refused
from tests.release.builders import make_people

TYPES = st.sampled_from(
    [
        "expect_column_values_to_be_between",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_be_in_set",
        "expect_table_row_count_to_equal",
        "expect_column_to_exist",
        "expect_no_such_thing",
        "unexpected_rows_expectation",
        "",
        "__init__",
    ]
)
KEYS = st.sampled_from(
    [
        *(
            "column",
            "min_value",
            "max_value",
            "mostly",
            "row_condition",
            "condition_parser",
            "regex",
        ),
        *("value_set", "value", "strict_min", "unexpected_rows_query", "batch_id", "result_format"),
    ]
)
VALUES = JSON | st.sampled_from(
    [
        "hgt", "region", "absent", 0.5, 'hgt > 1 and region == "north"', "@__import__('os')",
        "pandas", "great_expectations", "(", "(a+)+$", {"$PARAMETER": "x"}, {"$PARAMETER": "1/0"},
        "SELECT 1", "hgt.__class__", "hgt == hgt", "not hgt", "1 < 2", "region", "hgt in [1]",
    ]
)  # fmt: skip
ITEMS = st.fixed_dictionaries(
    {"type": TYPES, "kwargs": st.dictionaries(KEYS, VALUES, max_size=4)},
    optional={
        "severity": st.sampled_from(["critical", "warning", "other"]) | JSON,
        "meta": JSON,
        "description": JSON,
        "id": JSON,
        "notes": JSON,
    },
)


@cases()
@given(JSON | st.fixed_dictionaries({"name": JSON, "expectations": JSON | st.lists(JSON | ITEMS)}))
def test_any_json_is_a_suite_or_refused(content):
    with only_typed_errors():
        check_suite(content, "suite")


@cases(100, 2000)
@given(st.lists(ITEMS, min_size=1, max_size=2), TEXTS)
@example([{"type": "expect_column_to_exist", "kwargs": {"column": "hgt"}, "meta": {"x": [1]}}], "n")
def test_any_suite_is_evaluated_or_refused(items, name):
    with only_typed_errors():
        run_suite({"name": name, "expectations": items}, make_people(30), subject="people")


@cases(100, 2000)
@given(TEXTS | st.binary(max_size=40).map(lambda data: data.decode("latin-1")))
def test_any_path_and_any_file_are_a_suite_or_refused(tmp_path, text):
    (tmp_path / "gate.json").write_text(text.encode("utf-8", "replace").decode())
    for path in (text, "gate.json", f"expectations/{text}"):
        with only_typed_errors():
            spec = build_spec(
                {
                    "dataset": {"name": "x", "source": {"builtin": "boys"}},
                    "policy": {"suite": path},
                },
                tmp_path,
            )
            check_policy(spec)


@pytest.mark.parametrize(
    "path",
    ["expectations/../errors.py", "expectations/../../pyproject.toml", "/etc/passwd", "a\0b"],
)
def test_a_suite_is_not_read_from_outside_of_the_package(tmp_path, path):
    spec = build_spec({"dataset": {"name": "x", "source": {"builtin": "boys"}}}, tmp_path)
    with refused(r"file not found|cannot be read as JSON"):
        load_suite(spec, path)


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 10_000, '{"name": NaN}', "\ufeff{}"])
def test_a_file_that_breaks_readers_of_json_is_refused(tmp_path, text):
    (tmp_path / "gate.json").write_text(text)
    spec = build_spec({"dataset": {"name": "x", "source": {"builtin": "boys"}}}, tmp_path)
    with refused("cannot be read as JSON|is not a suite"):
        load_suite(spec, "gate.json")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "gate.json").open("wb") as file:
        file.truncate(10**12)
    spec = build_spec({"dataset": {"name": "x", "source": {"builtin": "boys"}}}, tmp_path)
    with refused("larger than"):
        load_suite(spec, "gate.json")
