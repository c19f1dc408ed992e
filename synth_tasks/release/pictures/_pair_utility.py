"""Joint distributions of two variables."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from synth_tasks.data import Schema
from synth_tasks.release.pictures._canvas import (
    MAX_HEAT_VARIABLES,
    PALE_BLUE,
    add_note,
    describe_cut,
    drawing,
    finish,
    new_figure,
    say,
)
from synth_tasks.release.pictures._heat_map import draw_heat_map, write_cells

SPMSE_BOUNDS = (0.0, 0.5, 2.0, 3.0, 10.0, 1e300)
SPMSE_COLOURS = ("#CDBBDB", "#EAF2F8", PALE_BLUE, "#F2B447", "#B23A12")
SPMSE_LABELS = (
    "below 0.5: closer than expected",
    "0.5 to 2: as expected",
    "2 to 3: close",
    "3 to 10: look at it",
    "10 and more: poor",
)


@drawing()
def pair_utility(ledger: pd.DataFrame, schema: Schema) -> Figure:
    """Draw how near the joint distributions of all pairs are to the real ones.

    S_pMSE, the mean over sets; single variables on the diagonal. The thresholds 3 and 10 are those
    of Raab, Nowok & Dibben (2021), arXiv:2109.12717.

    Parameters
    ----------
    ledger : DataFrame
        With the metrics ``spmse_pair`` and ``spmse_marginal``.
    schema : Schema
        The variables; of more than `MAX_HEAT_VARIABLES` those with the worst pairs are drawn.

    Returns
    -------
    Figure
    """
    matrix = _spmse_matrix(ledger, schema.names)
    if np.isnan(matrix).all():
        return say("Pairs of variables", "No S_pMSE was measured.")
    worst = np.nan_to_num(np.fmax(matrix, matrix.T)).max(axis=1)
    chosen = np.sort(np.argsort(-worst, kind="stable")[:MAX_HEAT_VARIABLES])
    names = [schema.names[i] for i in chosen]
    matrix = matrix[np.ix_(chosen, chosen)]
    p = len(names)
    figure = new_figure(1.1 + min(6.4, 0.48 * p))
    axes = figure.subplots()
    norm = BoundaryNorm(SPMSE_BOUNDS, len(SPMSE_COLOURS))
    draw_heat_map(axes, matrix, names, names, ListedColormap(SPMSE_COLOURS), norm)
    if p <= 16:
        write_cells(axes, matrix, _spmse_text)
    figure.legend(
        handles=[Patch(color=c, label=t) for c, t in zip(SPMSE_COLOURS, SPMSE_LABELS, strict=True)],
        title="S_pMSE",
        loc="outside right upper",
        alignment="left",
    )
    add_note(figure, describe_cut(p, len(schema), "variables, those with the largest values"))
    return finish(figure, "Pairs of variables")


def _spmse_matrix(ledger: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Return mean S_pMSE in the lower triangle and the diagonal; NaN elsewhere."""
    means = ledger.groupby(["metric", "target"])["value"].mean()
    pairs = means.get("spmse_pair", pd.Series(dtype=float)).to_dict()
    single = means.get("spmse_marginal", pd.Series(dtype=float)).to_dict()
    matrix = np.full((len(names), len(names)), np.nan)
    for i, row in enumerate(names):
        matrix[i, i] = single.get(row, np.nan)
        for j, column in enumerate(names[:i]):
            matrix[i, j] = pairs.get(f"{column}:{row}", pairs.get(f"{row}:{column}", np.nan))
    return matrix


def _spmse_text(value: float) -> str:
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"
