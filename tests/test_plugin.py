"""The plugin as Prefect finds and calls it."""

import logging
import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from prefect.plugins import HookContext

import flows
from synth_tasks.plugin import ENVIRONMENT, setup_environment

CONTEXT = HookContext(prefect_version="3", api_url=None, logger_factory=logging.getLogger)


@pytest.mark.parametrize(
    ("group", "name", "target"),
    [
        ("prefect.collections", "synth_tasks", "synth_tasks.blocks"),
        ("prefect.plugins", "synth_tasks", "synth_tasks.plugin"),
    ],
)
def test_prefect_finds_the_entry_points(group: str, name: str, target: str) -> None:
    (found,) = [e for e in entry_points(group=group) if e.name == name]
    assert found.value == target
    found.load()


def test_it_sets_what_the_environment_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    env = setup_environment(ctx=CONTEXT).env
    assert env["DO_NOT_TRACK"] == "1"
    assert "OMP_NUM_THREADS" not in env


def test_it_says_the_same_as_the_flows() -> None:
    shared = flows.PREFECT_SETTINGS | flows.NATIVE_THREADS
    assert {name: ENVIRONMENT[name] for name in shared} == shared


def test_prefect_runs_it_when_plugins_are_enabled() -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ENVIRONMENT}
    environment |= {"PREFECT_PLUGINS_ENABLED": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "plugins", "diagnose"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "synth_tasks" in done.stdout
    assert "synth_tasks: success" in done.stdout
    assert "no telemetry" in done.stderr
