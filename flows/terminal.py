"""What a person sees in the terminal after a run."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO, StringIO
from pathlib import Path

import pandas as pd
from fsspec.implementations.local import LocalFileSystem
from prefect.logging.configuration import setup_logging
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as ProgressBar
from rich.table import Table

from synth_tasks.errors import printable
from synth_tasks.failures import describe_failure
from synth_tasks.release.contents import read_figures
from synth_tasks.release.cost import Cost
from synth_tasks.release.locations import is_url, open_location
from synth_tasks.release.preview import Preview
from synth_tasks.tasks.artifacts import FAILED_AS

WIDTH = 100
MOST_NAMED = 4
# As `synth_tasks.tasks.artifacts.Progress` logs it.
STAGE_LINE = "[%d/%d] %s"


class StageLines(logging.Filter):
    """Lets progress and warnings through, not the life of every single task."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is shown."""
        # An error of a task is the error of the run, which is shown in one line at the end.
        return record.levelno == logging.WARNING or not record.name.startswith("prefect.task_runs")


def show_stages_only() -> None:
    """Keep the terminal readable; the Prefect UI still gets every line."""
    setup_logging()
    for handler in logging.getLogger().handlers:
        handler.addFilter(StageLines())


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar in a terminal, and nothing where there is none.

    Args:
        what: What is counted.
        total: How much there is to do.

    Yields:
        A function that takes how much more is done.
    """
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    console = Console(stderr=True)
    with ProgressBar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda amount: bar.advance(task, amount)


@contextmanager
def stage_progress(stages: Sequence[str], console: Console | None = None) -> Iterator[None]:
    """Show the stages of a flow in a terminal, with the time of each; elsewhere its plain lines.

    What is shown are the lines of counts and rates that the flow logs when a stage is done.

    Args:
        stages: What the flow does, in order.
        console: Where to; standard error if not given.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (
        SpinnerColumn(),
        TextColumn("[{task.completed:.0f}/{task.total:.0f}] {task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
    )
    with ProgressBar(*columns, console=console, transient=True) as bar:
        shown = StageHandler(bar, stages)
        others = [h for h in logging.getLogger().handlers if isinstance(h, logging.StreamHandler)]
        with _muted(others):
            logger = logging.getLogger("prefect")
            logger.addHandler(shown)
            try:
                yield
            finally:
                logger.removeHandler(shown)


class StageHandler(logging.Handler):
    """Turns the line that ends a stage into a line with its time, and moves the bar."""

    def __init__(self, bar: ProgressBar, stages: Sequence[str]) -> None:
        super().__init__()
        self._bar, self._stages = bar, stages
        self._begin = time.monotonic()
        self._task = bar.add_task(stages[0], total=len(stages))

    def emit(self, record: logging.LogRecord) -> None:
        """Show a finished stage, or a warning; nothing else."""
        if record.msg == STAGE_LINE:
            now = time.monotonic()
            done = int(record.args[0])  # type: ignore[index, arg-type]
            self._show(f"✓ {record.getMessage()} ({now - self._begin:.1f} s)")
            self._begin = now
            following = self._stages[min(done, len(self._stages) - 1)]
            self._bar.update(self._task, completed=done, description=following)
        elif record.levelno == logging.WARNING:
            self._show(f"warning: {record.getMessage()}")

    def _show(self, line: str) -> None:
        _show_line(self._bar.console, line)


def _show_line(console: Console, line: str) -> None:
    """Write a line as it is, however long, without what a terminal would obey."""
    console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def _cell(text: object) -> str:
    """Return a text for a table or its title, in which neither rich nor a terminal finds an order."""
    return escape(printable(str(text)))


@contextmanager
def _muted(handlers: Sequence[logging.Handler]) -> Iterator[None]:
    """Keep handlers from writing into the picture of a bar."""

    def refuse(record: logging.LogRecord) -> bool:
        return False

    for handler in handlers:
        handler.addFilter(refuse)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(refuse)


def show_preview(preview: Preview) -> str:
    """Describe a release that has not been made: its variables, its settings and its cost.

    Args:
        preview: The plan.

    Returns:
        Text with tables.
    """
    output = StringIO()
    console = Console(file=output, width=WIDTH, highlight=False)
    console.print(_variables_table(preview))
    for what, text in preview.facts.items():
        _show_line(console, f"{what}: {text}")
    about = f"about {_duration(preview.cost.total)} and {preview.cost.peak_gb:.1f} GB"
    console.print(f"cost: {about} on an idle machine like the one it was measured on")
    console.print(_cost_table(preview.cost))
    return output.getvalue()


def _variables_table(preview: Preview) -> Table:
    title = f"{preview.name}: {preview.n_rows} rows, variables in the order they are drawn"
    table = Table(title=_cell(title), title_justify="left")
    for name in ("variable", "kind", "missing", "imputed by", "drawn by", "given", "time"):
        table.add_column(name, justify="right" if name in ("missing", "time") else "left")
    for v in preview.variables:
        given = ", ".join(v.predictors[:MOST_NAMED])
        more = len(v.predictors) - MOST_NAMED
        given += f" and {more} more" if more > 0 else ""
        cells = (v.name, v.kind, str(v.n_missing), v.imputation, v.synthesis or "kept", given,
                 _duration(v.seconds))  # fmt: skip
        table.add_row(*map(_cell, cells))
    return table


def _cost_table(cost: Cost) -> Table:
    table = Table()
    table.add_column("stage")
    table.add_column("time", justify="right")
    for stage, seconds in cost.seconds.items():
        table.add_row(stage, _duration(seconds))
    return table


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def or_why_not(summarise: Callable[[], str]) -> str:
    """Return a summary, or a line that says why there is none: what is published or done stays so.

    Args:
        summarise: Makes it.
    """
    try:
        return summarise()
    except Exception as error:
        return f"not shown here: {printable(describe_failure(error, 'the summary'))}\n"


def summarise(location: str, storage_options: Mapping[str, str]) -> str:
    """Describe a release: the gate, the pooled analyses, and where the report is.

    Args:
        location: Folder of the release, or its URL.
        storage_options: Options of its file system, credentials among them.

    Returns:
        Text with tables.
    """
    output = StringIO()
    console = Console(file=output, width=WIDTH, highlight=False)
    files, folder = LocalFileSystem(), location
    if is_url(location):
        files, folder = open_location(location, "publish.to", storage_options)
    manifest = json.loads(files.cat_file(f"{folder}/manifest.json"))
    console.print(_gate_table(manifest))
    pooled = [name for name in manifest["files"] if name.startswith("inference/pooled-")]
    for name in sorted(pooled, key=lambda name: (len(name), name)):
        table = read_figures(BytesIO(files.cat_file(f"{folder}/{name}")))
        console.print(_estimates_table(table))
    _show_line(console, f"report: {location}/report.html")
    return output.getvalue()


def summarise_study(folder: Path) -> str:
    """Describe a study: bias and coverage of every estimand, and where the report is.

    Args:
        folder: Folder of the results.

    Returns:
        Text with tables.
    """
    output = StringIO()
    console = Console(file=output, width=WIDTH, highlight=False)
    coverage = pd.read_parquet(folder / "coverage.parquet")
    for analysis, part in coverage.groupby("analysis", sort=False):
        console.print(_coverage_table(str(analysis), part))
    found = json.loads((folder / "study.json").read_text(encoding="utf-8"))["found"]
    linked, chance = found["self_linkage"], found["self_linkage_by_chance"]
    console.print(f"rows nearest to their own source: {linked:.2%} (chance {chance:.2%})")
    _show_line(console, f"report: {folder / 'report.html'}")
    return output.getvalue()


def _coverage_table(analysis: str, part: pd.DataFrame) -> Table:
    table = Table(title=_cell(analysis), title_justify="left")
    table.add_column("term")
    for name in ("true", "bias, sample", "coverage", "bias, synthetic", "coverage", "width ratio"):
        table.add_column(name, justify="right")
    for row in part.itertuples():
        table.add_row(
            _cell(row.term),
            f"{row.true:.4g}",
            f"{row.bootstrap_bias:.2g}",
            f"{row.bootstrap_coverage:.3f}",
            f"{row.synthetic_bias:.2g}",
            f"{row.synthetic_coverage:.3f}",
            f"{row.width_ratio:.2f}",
        )
    return table


def summarise_frontier(folder: Path) -> str:
    """Describe a comparison of settings, and where the report is.

    Args:
        folder: Folder of the results.

    Returns:
        Text with a table.
    """
    output = StringIO()
    console = Console(file=output, width=WIDTH, highlight=False)
    table = Table(title="Risk and utility", title_justify="left")
    table.add_column("setting")
    for name in ("copies on keys", "loss of coverage", "bias", "overlap", "verdict"):
        table.add_column(name, justify="right")
    for row in pd.read_parquet(folder / "frontier.parquet").itertuples():
        verdict = "recommended" if row.recommended else "valid" if row.valid else "not valid"
        table.add_row(
            _cell(row.setting),
            f"{row.risk:.2%}",
            f"{row.coverage_loss:.3f}",
            f"{row.mean_std_bias:.2f}",
            f"{row.interval_overlap:.2f}",
            verdict,
        )
    console.print(table)
    _show_line(console, f"report: {folder / 'report.html'}")
    return output.getvalue()


def _gate_table(manifest: dict) -> Table:
    title = f"Gate of {manifest['name']} {manifest['version']}"
    table = Table(title=_cell(title), title_justify="left")
    table.add_column("verdict")
    table.add_column("severity")
    table.add_column("check")
    for gate in manifest["gates"]:
        if gate["suite"] == "gate":
            verdict = "passed" if gate["passed"] else FAILED_AS[gate["severity"]]
            table.add_row(verdict, gate["severity"], _cell(gate["description"]))
    return table


def _estimates_table(pooled: pd.DataFrame) -> Table:
    title = f"{pooled['analysis'].iloc[0]}, pooled by {pooled['rule'].iloc[0]}"
    table = Table(title=_cell(title), title_justify="left")
    table.add_column("term")
    for name in ("estimate", "std. error", "95 % interval", "p"):
        table.add_column(name, justify="right")
    for row in pooled.itertuples():
        table.add_row(
            _cell(row.term),
            f"{row.estimate:.4g}",
            f"{row.std_error:.3g}",
            f"{row.conf_low:.4g} to {row.conf_high:.4g}",
            f"{row.p_value:.3g}",
        )
    return table
