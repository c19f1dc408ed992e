"""Tables of pooled estimates as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

LATEX_SIGNS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "|": r"\textbar{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def write_markdown(table: pd.DataFrame, confidence: float, digits: int) -> str:
    """Write estimates as a table in Markdown; see `PooledEstimates.to_markdown`."""
    head, *rows = _cells(table, confidence, digits)
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    lines += [[row[0].replace("|", "\\|"), *row[1:]] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def write_latex(table: pd.DataFrame, confidence: float, digits: int) -> str:
    """Write estimates as a tabular of LaTeX; see `PooledEstimates.to_latex`."""
    head, *rows = _cells(table, confidence, digits)
    lines = [
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"\toprule",
        _latex_row([_escape(cell) for cell in head]),
        r"\midrule",
        *(_latex_row([_escape(row[0]), *map(_in_mathematics, row[1:])]) for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def _cells(table: pd.DataFrame, confidence: float, digits: int) -> list[list[str]]:
    interval = f"{100 * confidence:.4g} % interval"
    cells = [["term", "estimate", "std. error", "df", "p", interval]]
    for row in table.to_dict("records"):
        p = row["p_value"]
        cells.append(
            [
                str(row["term"]),
                f"{row['estimate']:.{digits}f}",
                f"{row['std_error']:.{digits}f}",
                "∞" if np.isinf(row["df"]) else f"{row['df']:.1f}",
                "<.001" if p < 0.001 else f"{p:.3f}".lstrip("0"),
                f"[{row['conf_low']:.{digits}f}, {row['conf_high']:.{digits}f}]",
            ]
        )
    return cells


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _escape(text: str) -> str:
    return "".join(LATEX_SIGNS.get(sign, sign) for sign in text)


def _in_mathematics(number: str) -> str:
    """Set a figure as a formula, which gives it a true minus sign."""
    return f"${number}$".replace("∞", r"\infty")
