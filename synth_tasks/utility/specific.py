"""Specific utility: what an analysis of synthetic sets says beside the same one of the real data."""

from __future__ import annotations

from synth_tasks.ledger import Measurement, Metric
from synth_tasks.utility import coefficients, lack_of_fit
from synth_tasks.utility.estimate_nulls import HowMade
from synth_tasks.utility.estimates import Estimates, require_same_terms

SPECIFIC_METRICS: tuple[Metric, ...] = (*coefficients.METRICS, *lack_of_fit.METRICS)


def compare_estimates(
    real: Estimates,
    synthetic: Estimates,
    how: HowMade,
    *,
    label: str,
    set_number: int = 0,
) -> list[Measurement]:
    """Measure how well synthetic estimates agree with real ones.

    Parameters
    ----------
    real : Estimates
        From the real data.
    synthetic : Estimates
        From one synthetic set, or pooled over all.
    how : HowMade
        How the sets were made and pooled.
    label : str
        Name of the analysis, for the ledger.
    set_number : int, default 0
        Number of the set; 0 for pooled estimates.

    Returns
    -------
    list of Measurement
        Metrics of `SPECIFIC_METRICS`, every value finite.

    Raises
    ------
    PoolingError
        If the estimates have different terms.
    """
    require_same_terms(real, synthetic)
    return [
        *coefficients.measure_coefficients(
            real, synthetic, how, label=label, set_number=set_number
        ),
        *lack_of_fit.measure_lack_of_fit(real, synthetic, how, label=label, set_number=set_number),
    ]
