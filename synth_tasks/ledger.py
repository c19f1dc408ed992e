"""The metrics ledger: one tidy table of everything that was measured.

Policies judge this table and nothing else. It holds rates, counts and ratios, never a data value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

import pandas as pd


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of the ledger.

    Parameters
    ----------
    family : str
        ``"utility"`` or ``"disclosure"``.
    metric : str
        Name of the metric, e.g. ``"self_linkage"``.
    value : float
        What was measured.
    target : str
        Variable or pair of variables it is about; empty for the whole table.
    keys : str
        Quasi-identifiers used, joined by ``+``; empty where there are none.
    set_number : int
        Synthetic set, 1..m; 0 for a figure about all sets together.
    lower, upper : float, optional
        95 % interval of the value; NaN if there is none.
    null : float, optional
        What the value would be if nothing were disclosed, or nothing were lost.
    control : float, optional
        The same metric measured on data that the synthesis has not seen.
    n : int
        Number of rows, cells or attempts the value rests on.
    """

    family: str
    metric: str
    value: float
    target: str = ""
    keys: str = ""
    set_number: int = 0
    lower: float = float("nan")
    upper: float = float("nan")
    null: float = float("nan")
    control: float = float("nan")
    n: int = 0


LEDGER_COLUMNS = ["family", "metric", "target", "keys", "set", "value"] + [
    "lower", "upper", "null", "control", "n",
]  # fmt: skip


def make_ledger(measurements: Iterable[Measurement]) -> pd.DataFrame:
    """Collect measurements in one table.

    Returns
    -------
    DataFrame
        Columns `LEDGER_COLUMNS`, sorted by family, metric, target, keys and set, so that the order of
        measuring leaves no trace.
    """
    rows = [asdict(m) for m in measurements]
    frame = pd.DataFrame(rows, columns=[f.name for f in fields(Measurement)])
    frame = frame.rename(columns={"set_number": "set"})[LEDGER_COLUMNS]
    order = ["family", "metric", "target", "keys", "set"]
    return frame.sort_values(order, kind="stable", ignore_index=True)
