"""What a person sees in the terminal after a run."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

WIDTH = 100


def summarise(folder: Path, message: str, seconds: float) -> str:
    """Describe a release: the gate, the first pooled analyses, and where everything is.

    Args:
        folder: Folder of the release.
        message: How the run ended.
        seconds: How long it took.

    Returns:
        Text with tables.
    """
    output = StringIO()
    console = Console(file=output, width=WIDTH, highlight=False)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    console.print(_gate_table(manifest))
    for path in sorted((folder / "inference").glob("pooled-*.csv")):
        console.print(_estimates_table(pd.read_csv(path)))
    console.print(f"{message} ({seconds:.1f} s)")
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True)
    return output.getvalue()


def _gate_table(manifest: dict) -> Table:
    table = Table(title=f"Gate of {manifest['name']} {manifest['version']}", title_justify="left")
    table.add_column("verdict")
    table.add_column("severity")
    table.add_column("check")
    for gate in manifest["gates"]:
        if gate["suite"] == "gate":
            verdict = "passed" if gate["passed"] else "not met"
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
