"""The suites of a draft: those of the schema, and the default policy to be made one's own."""

import json
from importlib import resources

import pytest

from expectations.drafting import draft_files, draft_suites
from expectations.gate import check_gate
from expectations.suites import check_suite
from synth_tasks.release.drafting import Draft, draft_release
from tests.release.builders import make_people


@pytest.fixture(scope="module")
def draft(tmp_path_factory) -> Draft:
    folder = tmp_path_factory.mktemp("site")
    make_people().to_csv(folder / "people.csv", index=False)
    return draft_release(folder / "people.csv", folder)


def columns(suite: dict) -> list[str]:
    return suite["expectations"][0]["kwargs"]["column_list"]


def test_every_stage_has_a_suite_of_its_columns(draft):
    suites = draft_suites(draft)
    names = draft.schema.names
    assert columns(suites["source"]) == names
    assert columns(suites["completed"]) == [*names, "bmi__residual"]
    assert columns(suites["synthetic"]) == [*names, "bmi__residual"]
    for stage, suite in suites.items():
        check_suite(suite, stage)


def test_the_gate_is_a_copy_of_the_default_policy(draft):
    gate = draft_suites(draft)["gate"]
    shipped = resources.files("expectations").joinpath("default", "gate.json").read_text()
    assert gate == json.loads(shipped)
    check_gate(gate, "draft")


def test_the_files_are_the_specification_and_its_suites(draft):
    files = draft_files(draft)
    assert next(iter(files)) == "people.yaml"
    assert sorted(files)[0].startswith("expectations/people/")
    assert all(json.loads(text)["expectations"] for name, text in files.items() if ".json" in name)
