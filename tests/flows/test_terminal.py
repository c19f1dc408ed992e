"""What is seen while a release runs: a bar in a terminal, plain lines elsewhere."""

import io
import logging

import pytest
from rich.console import Console

from flows.release import STAGES
from flows.terminal import stage_progress
from synth_tasks.tasks import artifacts
from tests.release.builders import people_spec

LOGGER = logging.getLogger("prefect.flow_runs")


@pytest.fixture
def plain_lines(monkeypatch):
    """What the console handler of Prefect writes."""
    stream, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    monkeypatch.setattr(root, "handlers", [handler])
    monkeypatch.setattr(LOGGER, "level", logging.INFO)
    for logger in (LOGGER, logging.getLogger("prefect.task_runs")):
        monkeypatch.setattr(logger, "handlers", [])  # those that send lines to a server
    return stream


def run(spec, console) -> None:
    told: list[str] = []
    progress = artifacts.Progress(spec, len(STAGES), LOGGER, told.append)
    with stage_progress(STAGES, console):
        LOGGER.info("Beginning flow run")
        progress.finish("ingested 90 rows [bold]")
        logging.getLogger("prefect.task_runs").warning("mixed badly")
        logging.getLogger("prefect.task_runs").error("Task run failed")
        progress.finish("source suite met")
    LOGGER.info("afterwards")


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "create_progress_artifact", lambda **_: None)
    monkeypatch.setattr(artifacts, "update_progress_artifact", lambda *_, **__: None)
    return people_spec(tmp_path)


def test_a_terminal_shows_stages_with_their_time_and_warnings(spec, plain_lines):
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    run(spec, console)
    shown = console.file.getvalue()
    assert "✓ [1/11] ingested 90 rows [bold] (" in shown
    assert "✓ [2/11] source suite met (" in shown
    assert " s)\n" in shown
    assert STAGES[0] in shown
    assert "warning: mixed badly" in shown
    assert "Beginning flow run" not in shown
    assert "Task run failed" not in shown
    assert plain_lines.getvalue() == "afterwards\n"


def test_elsewhere_the_lines_of_the_flow_stay_as_they_are(spec, plain_lines):
    console = Console(file=io.StringIO(), force_terminal=False)
    run(spec, console)
    assert console.file.getvalue() == ""
    assert "[1/11] ingested 90 rows [bold]\n" in plain_lines.getvalue()
    assert "✓" not in plain_lines.getvalue()


def test_the_bar_is_taken_away_when_the_flow_breaks(spec, plain_lines):
    console = Console(file=io.StringIO(), force_terminal=True)
    handlers = list(logging.getLogger("prefect").handlers)
    with pytest.raises(RuntimeError), stage_progress(STAGES, console):
        raise RuntimeError
    assert logging.getLogger("prefect").handlers == handlers
    LOGGER.info("afterwards")
    assert plain_lines.getvalue() == "afterwards\n"
