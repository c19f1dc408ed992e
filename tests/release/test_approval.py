"""Decisions of data stewards."""

import pytest

from synth_tasks.errors import IntegrityError, SpecError
from synth_tasks.release.approval import (
    Decision,
    keep_decision,
    needs_approval,
    read_decision,
    recorded_decision,
)
from synth_tasks.release.results import Check, SuiteResult
from synth_tasks.release.workspace import Workspace
from tests.release.builders import people_spec


def suite(*failed: str) -> list[SuiteResult]:
    checks = [Check("expectation", f"fails as {s}", s, success=False) for s in failed]
    return [SuiteResult("gate", "ledger", (*checks, Check("other", "is met", "warning", True)))]


@pytest.mark.parametrize(
    ("approval", "failed", "asked"),
    [
        ("warnings", (), False),
        ("warnings", ("info",), False),
        ("warnings", ("warning",), True),
        ("always", (), True),
        ("never", ("warning",), False),
    ],
)
def test_a_person_is_asked_when_a_check_warns_or_always_or_never(tmp_path, approval, failed, asked):
    spec = people_spec(tmp_path, publish={"approval": approval})
    assert needs_approval(spec, suite(*failed)) is asked


def test_a_decision_is_found_again_and_no_other(tmp_path):
    decision = Decision.today(approved=True, name=" Ada ", reason="small and harmless")
    workspace = Workspace(tmp_path, "people", bytes(32))
    keep_decision(workspace, "a" * 32, decision)
    assert read_decision(workspace, "a" * 32) == decision
    assert decision.name == "Ada"
    assert read_decision(workspace, "b" * 32) is None


def test_the_last_decision_counts(tmp_path):
    workspace = Workspace(tmp_path, "people", bytes(32))
    for approved in (True, False):
        keep_decision(workspace, "a", Decision.today(approved=approved, name="Ada", reason="so"))
    found = read_decision(workspace, "a")
    assert found is not None
    assert not found.approved


@pytest.mark.parametrize("text", ["", "  ", "two\nlines", "x" * 1001])
def test_a_decision_needs_a_name_and_a_reason_in_one_line(text):
    with pytest.raises(SpecError, match="approval: name"):
        Decision.today(approved=True, name=text, reason="because")
    with pytest.raises(SpecError, match="approval: reason"):
        Decision.today(approved=True, name="Ada", reason=text)


def test_the_decision_that_a_manifest_records_is_taken_over():
    decision = Decision.today(approved=True, name="Ada", reason="small and harmless")
    assert recorded_decision({"approval": decision.to_dict()}) == decision
    assert recorded_decision({"approval": None}) is None
    assert recorded_decision({}) is None


@pytest.mark.parametrize(
    "recorded", [1, [], {}, {"approved": True, "name": "", "reason": "so", "on": "x"}]
)
def test_what_a_manifest_records_must_be_a_decision(recorded):
    with pytest.raises(IntegrityError, match="records an approval that is none"):
        recorded_decision({"approval": recorded})
