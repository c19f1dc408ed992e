"""The metrics ledger: one tidy table of everything that was measured.

Policies judge this table and nothing else. It holds rates, counts and ratios, never a data value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

import pandas as pd

NOT_GIVEN = float("nan")


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
        95 % interval of the value; NaN if there is none. Of a stratum, one that holds for all at once.
    null : float, optional
        What the value would be if nothing were disclosed, or nothing were lost.
    control : float, optional
        The same metric measured on data that the synthesis has not seen.
    n : int
        Number of rows, cells or attempts the value rests on.
    stratum : str
        Part of the data it is about, where they were worked on in parts; empty for the whole.
    """

    family: str
    metric: str
    value: float
    target: str = ""
    keys: str = ""
    set_number: int = 0
    lower: float = NOT_GIVEN
    upper: float = NOT_GIVEN
    null: float = NOT_GIVEN
    control: float = NOT_GIVEN
    n: int = 0
    stratum: str = ""


class Goal(StrEnum):
    """Which way a metric should go."""

    LOW = "low"
    NEAR_NULL = "near null"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Metric:
    """What a figure in the ledger means.

    Parameters
    ----------
    family : str
        ``"utility"`` or ``"disclosure"``.
    name : str
        As in the column `metric` of the ledger.
    goal : Goal
        Whether less is better, the null value is best, or the figure only informs.
    minimum, maximum : float
        Bounds of the value; infinite where there is no bound.
    null : float
        Value if nothing were disclosed, or nothing were lost; NaN if it depends on the data, in
        which case the measurement carries it where it is known.
    reference : str
        Where the metric is defined.
    """

    family: str
    name: str
    goal: Goal
    minimum: float
    maximum: float
    null: float
    reference: str

    def measure(
        self,
        value: float,
        *,
        target: str = "",
        keys: str = "",
        set_number: int = 0,
        interval: tuple[float, float] = (NOT_GIVEN, NOT_GIVEN),
        null: float | None = None,
        n: int = 0,
    ) -> Measurement:
        """Write one value down.

        Parameters
        ----------
        value : float
            Finite.
        target, keys, set_number, n
            See `Measurement`.
        interval : tuple of two float, optional
            95 % interval.
        null : float, optional
            Null value for these data; that of the metric if not given.

        Raises
        ------
        ValueError
            If the value is not finite: a gate would let it pass in silence.
        """
        if not math.isfinite(value):
            raise ValueError(f"metric '{self.name}' of '{target}' is not a finite number")
        return Measurement(
            family=self.family,
            metric=self.name,
            value=float(value),
            target=target,
            keys=keys,
            set_number=set_number,
            lower=float(interval[0]),
            upper=float(interval[1]),
            null=self.null if null is None else float(null),
            n=int(n),
        )


LEDGER_COLUMNS = [
    "family", "metric", "target", "keys", "set", "value", "lower", "upper", "null", "control", "n",
]  # fmt: skip
STRATUM = "stratum"


def make_ledger(measurements: Iterable[Measurement]) -> pd.DataFrame:
    """Collect measurements in one table.

    Returns
    -------
    DataFrame
        Columns `LEDGER_COLUMNS`, sorted by family, metric, target, keys and set, so that the order
        of measuring leaves no trace. If any figure is about a stratum, a column with the stratum goes
        before them, and figures of the whole come first.
    """
    rows = [asdict(m) for m in measurements]
    frame = pd.DataFrame(rows, columns=[f.name for f in fields(Measurement)])
    frame = frame.rename(columns={"set_number": "set"})
    order = ["family", "metric", "target", "keys", "set"]
    if (frame[STRATUM] == "").all():
        return frame[LEDGER_COLUMNS].sort_values(order, kind="stable", ignore_index=True)
    number = frame[STRATUM].str.extract(r"(\d+)$", expand=False).fillna("0").astype(int)
    frame = frame.assign(number=number).sort_values(["number", *order], kind="stable")
    return frame[[STRATUM, *LEDGER_COLUMNS]].reset_index(drop=True)
