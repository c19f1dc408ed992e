"""Distributions of single variables: one-way S_pMSE; see `tables` and `grouping`."""

from __future__ import annotations

import math

from synth_tasks.ledger import Goal, Measurement, Metric
from synth_tasks.utility.grouping import CellCounts
from synth_tasks.utility.tables import SPMSE_NULL, SPMSE_REFERENCE, spmse

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


def measure_marginals(grouped: CellCounts) -> list[Measurement]:
    """Measure each variable.

    Parameters
    ----------
    grouped : CellCounts
        Cells of both tables.

    Returns
    -------
    list of Measurement
        ``spmse_marginal``, target = variable, n = real and synthetic rows together.
    """
    return [
        SPMSE_MARGINAL.measure(
            spmse(*grouped.one(i), grouped.inflation),
            target=name,
            set_number=grouped.set_number,
            n=grouped.n_rows,
        )
        for i, name in enumerate(grouped.names)
    ]
