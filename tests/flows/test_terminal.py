"""What is seen of a release: a bar in a terminal, plain lines elsewhere; then tables."""

import io
import json
import logging

import pandas as pd
import pytest
from rich.console import Console

from flows.release import STAGES
from flows.terminal import or_why_not, show_preview, stage_progress, summarise
from synth_tasks.errors import StorageError
from synth_tasks.release.cost import Cost
from synth_tasks.release.preview import PlannedVariable, Preview
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


# --- tables ---------------------------------------------------------------------------------------

# It clears the screen, breaks the line, writes from right to left, and is bold for rich.
ODD = "a\x1b[2J\nb\u202ec[bold]"
SHOWN = "a?[2J?b?c[bold]"


def obeyed(text: str) -> set[str]:
    """Return the signs that a terminal does not show but obeys, but for the ends of lines."""
    return {sign for sign in text.replace("\n", "") if not sign.isprintable()}


def test_a_warning_is_a_line_that_no_terminal_obeys(spec, plain_lines):
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with stage_progress(STAGES, console):
        LOGGER.warning("column '%s' mixed badly", ODD)
    assert f"warning: column '{SHOWN}' mixed badly\n" in console.file.getvalue()


def test_names_in_the_plan_are_shown_and_not_obeyed():
    variable = PlannedVariable(ODD, "nominal", 0, ODD, ODD, (ODD,), 1.0)
    facts = {"keys": f"{ODD}, {'x' * 3000}"}
    shown = show_preview(Preview("people", 90, (variable,), facts, Cost({"draw": 1.0}, 0.1)))
    assert obeyed(shown) == set()
    assert "a?[2J?b" in shown
    assert f"keys: {SHOWN}, {'x' * 3000}\n" in shown


@pytest.fixture
def published(tmp_path):
    """What a summary reads of a release whose name of a folder is a pattern, too."""
    folder = tmp_path / "people[1]"
    (folder / "inference").mkdir(parents=True)
    gate = {"suite": "gate", "passed": True, "severity": "critical", "description": ODD}
    table = pd.DataFrame({"estimate": [1.0], "std_error": 0.1, "conf_low": 0.8, "conf_high": 1.2})
    files = {}
    for number, term in ((1, "2019"), (2, "NA"), (10, ODD)):
        name = f"inference/pooled-{number}.csv"
        named = table.assign(p_value=0.5, analysis=f"analysis {term}", rule="reiter2003", term=term)
        named.to_csv(folder / name, index=False)
        files[name] = {}
    manifest = {"name": "people", "version": "1-abababab", "gates": [gate], "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_terms_that_look_like_numbers_or_missing_values_are_summarised(published):
    shown = summarise(str(published), {})
    assert "│ 2019 │" in shown
    assert "│ NA   │" in shown
    assert [shown.index(f"analysis {term}, pooled") for term in ("2019", "NA", SHOWN)] == sorted(
        shown.index(f"analysis {term}, pooled") for term in ("2019", "NA", SHOWN)
    )
    assert shown.endswith(f"report: {published}/report.html\n")


def test_names_in_a_summary_are_shown_and_not_obeyed(published):
    shown = summarise(str(published), {})
    assert obeyed(shown) == set()
    assert shown.count(SHOWN) == 3  # gate, title, term


def test_a_summary_of_a_release_in_a_store_is_that_of_the_same_folder(published):
    assert summarise(f"file://{published}", {}) == summarise(str(published), {}).replace(
        f"report: {published}", f"report: file://{published}"
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StorageError("cannot read s3://x: it is gone"), "cannot read s3://x: it is gone\n"),
        (ValueError("987654.321987"), "the summary failed: ValueError in test_terminal.py, line "),
    ],
)
def test_a_summary_that_fails_is_a_line_without_values(error, reason):
    def fail() -> str:
        raise error

    line = or_why_not(fail)
    assert line.startswith(f"not shown here: {reason}")
    assert line.count("\n") == 1
    assert "987654" not in line
