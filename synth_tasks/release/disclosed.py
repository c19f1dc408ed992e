"""What a release discloses by its own published figures: one number for each metric."""

from __future__ import annotations

import pandas as pd

from synth_tasks.release.pictures import describe_metric


def worst_figures(ledger: pd.DataFrame) -> dict[str, float]:
    """Return the worst value of each disclosure metric that is public.

    Parameters
    ----------
    ledger : DataFrame
        As it is published, rounded; see `synth_tasks.ledger.make_ledger`.

    Returns
    -------
    dict of str to float
        By name of the metric: over all sets, targets, keys and strata the greatest value, or the
        smallest where small values disclose (``templates/measures.yaml``). Metrics without such a side
        are left out.
    """
    worst: dict[str, float] = {}
    for name, values in ledger[ledger["family"] == "disclosure"].groupby("metric")["value"]:
        wording = describe_metric(str(name))
        if wording.public and wording.discloses:
            value = values.max() if wording.discloses == "above" else values.min()
            worst[str(name)] = float(value)
    return worst
