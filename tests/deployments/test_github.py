"""deployments/ci/github.yml: when its jobs run, with which rights, and what they call."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments.ci import regenerate

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deployments" / "ci" / "github.yml").read_text()
# YAML 1.1 takes `on` for True.
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
STEPS = [(job, step) for job, content in JOBS.items() for step in content["steps"]]
RUNS = [(job, step["run"]) for job, step in STEPS if "run" in step]


def test_nothing_is_published_unless_someone_asks_for_it() -> None:
    when = WORKFLOW[True]
    assert set(when) == {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert when["workflow_dispatch"]["inputs"]["publish"]["default"] is False
    (push,) = [step for job, step in STEPS if "push --quiet" in step.get("run", "")]
    assert push["if"] == "inputs.publish"
    assert JOBS["regenerate"]["env"]["PUBLISH"] == "${{ inputs.publish && '--publish' || '' }}"


def test_only_the_job_that_pushes_may_write() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {n: j["permissions"] for n, j in JOBS.items() if "permissions" in j} == {
        "regenerate": {"contents": "write"}
    }
    assert all("timeout-minutes" in job for job in JOBS.values())


@pytest.mark.parametrize(("job", "script"), RUNS)
def test_scripts_are_valid_and_take_inputs_from_variables(job: str, script: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
    assert checked.returncode == 0, checked.stderr
    assert "${{" not in script  # what a user types would be run


@pytest.mark.parametrize("step", [s for _, s in STEPS if "uses" in s], ids=lambda s: s["uses"])
def test_actions_have_a_version(step: dict[str, Any]) -> None:
    assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])


def test_what_is_called_is_there() -> None:
    scripts = "\n".join(script for _, script in RUNS)
    for path in re.findall(r"(?:\.ci/run|deployments/[\w./-]+)", scripts):
        assert (ROOT / path).is_file(), path
    assert "python -m deployments.ci.regenerate" in scripts
    default = WORKFLOW[True]["workflow_dispatch"]["inputs"]["spec"]["default"]
    options = ["--spec", str(ROOT / default), "--published", "published", "--report", "r"]
    assert regenerate._parse([*options, "--publish"]).publish is True


def test_the_workflow_names_no_host() -> None:
    assert re.findall(r"https?://", TEXT) == []
