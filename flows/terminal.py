"""What a person sees in the terminal after a run."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from pathlib import Path

import pandas as pd
from fsspec.core import url_to_fs
from prefect.logging.configuration import setup_logging
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from synth_tasks.tasks.artifacts import FAILED_AS

WIDTH = 100


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


def summarise(location: str) -> str:
    """Describe a release: the gate, the pooled analyses, and where the report is.

    Args:
        location: Folder of the release, or its URL.

    Returns:
        Text with tables.
    """
    output = StringIO()
    console = Console(file=output, width=WIDTH, highlight=False)
    files, folder = url_to_fs(location)
    console.print(_gate_table(json.loads(files.cat_file(f"{folder}/manifest.json"))))
    for path in sorted(files.glob(f"{folder}/inference/pooled-*.csv")):
        console.print(_estimates_table(pd.read_csv(BytesIO(files.cat_file(path)))))
    console.print(f"report: {location}/report.html", soft_wrap=True)
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
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True)
    return output.getvalue()


def _coverage_table(analysis: str, part: pd.DataFrame) -> Table:
    table = Table(title=analysis, title_justify="left")
    table.add_column("term")
    for name in ("true", "bias, sample", "coverage", "bias, synthetic", "coverage", "width ratio"):
        table.add_column(name, justify="right")
    for row in part.itertuples():
        table.add_row(
            row.term,
            f"{row.true:.4g}",
            f"{row.bootstrap_bias:.2g}",
            f"{row.bootstrap_coverage:.3f}",
            f"{row.synthetic_bias:.2g}",
            f"{row.synthetic_coverage:.3f}",
            f"{row.width_ratio:.2f}",
        )
    return table


def _gate_table(manifest: dict) -> Table:
    table = Table(title=f"Gate of {manifest['name']} {manifest['version']}", title_justify="left")
    table.add_column("verdict")
    table.add_column("severity")
    table.add_column("check")
    for gate in manifest["gates"]:
        if gate["suite"] == "gate":
            verdict = "passed" if gate["passed"] else FAILED_AS[gate["severity"]]
            table.add_row(verdict, gate["severity"], gate["description"])
    return table


def _estimates_table(pooled: pd.DataFrame) -> Table:
    title = f"{pooled['analysis'].iloc[0]}, pooled by {pooled['rule'].iloc[0]}"
    table = Table(title=title, title_justify="left")
    table.add_column("term")
    for name in ("estimate", "std. error", "95 % interval", "p"):
        table.add_column(name, justify="right")
    for row in pooled.itertuples():
        table.add_row(
            row.term,
            f"{row.estimate:.4g}",
            f"{row.std_error:.3g}",
            f"{row.conf_low:.4g} to {row.conf_high:.4g}",
            f"{row.p_value:.3g}",
        )
    return table
