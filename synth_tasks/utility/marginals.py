"""Distributions of single variables: one-way S_pMSE; see `tables` and `grouping`."""

from __future__ import annotations

import math

from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.at_once import AtOnce
from synth_tasks.utility.grouping import CellCounts
from synth_tasks.utility.tables import SPMSE_NULL, SPMSE_REFERENCE, spmse, spmse_beyond_chance

SPMSE_MARGINAL = Metric(
    family="utility",
    name="spmse_marginal",
    goal=Goal.NEAR_NULL,
    minimum=0.0,
    maximum=math.inf,
    null=SPMSE_NULL,
    reference=SPMSE_REFERENCE,
)
METRICS = (SPMSE_MARGINAL,)


def measure_marginals(grouped: CellCounts, at_once: AtOnce | None = None) -> list[Measurement]:
    """Measure each variable.

    Parameters
    ----------
    grouped : CellCounts
        Cells of both tables.
    at_once : AtOnce, optional
        The family of tables that are judged at once.

    Returns
    -------
    list of Measurement
        ``spmse_marginal``, target = variable, n = real and synthetic rows together; in a family with
        the lower bound of `spmse_beyond_chance`.
    """
    p = len(grouped.names)
    return [
        SPMSE_MARGINAL.measure(
            spmse(*grouped.one(i), grouped.inflation),
            target=name,
            set_number=grouped.set_number,
            interval=(
                NOT_GIVEN
                if at_once is None
                else spmse_beyond_chance(*grouped.one(i), grouped.inflation, at_once, p),
                NOT_GIVEN,
            ),
            n=grouped.n_rows,
        )
        for i, name in enumerate(grouped.names)
    ]
