"""Estimates of an analysis from synthetic sets beside those from the real data.

With Q and l real estimate and interval, V its variance, and q the synthetic estimate:

``interval_overlap``           mean of the shares of both intervals that the common part makes up; 1 at
                               most, negative if they are apart
``interval_overlap_mean``      mean over terms, and ``interval_overlap_min`` the smallest
``standardised_difference``    (q - Q) / sqrt(V), and ``standardised_difference_mean`` the mean of
                               absolute values
``sign_agreement``             share of terms with equal signs
``significance_agreement``     share of terms whose intervals both hold zero, or both do not

Null values are what a right synthesis gives on average (`estimate_nulls`): overlap is not 1 even then,
nor is agreement where estimates are near zero.

References
----------
Karr, Kohnen, Oganian, Reiter & Sanil (2006). A framework for evaluating the utility of data altered to
protect confidentiality. The American Statistician 60, 224-232.
Raab, Nowok & Dibben (2021). Assessing, visualizing and improving the utility of synthetic data.
arXiv:2109.12717.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.estimate_nulls import (
    HowMade,
    expected_overlap,
    expected_sign_agreement,
    expected_significance,
)
from synth_tasks.utility.estimates import Estimates
from synth_tasks.utility.intervals import CONFIDENCE, wilson

INTERVAL_OVERLAP = Metric(
    family="utility",
    name="interval_overlap",
    goal=Goal.NEAR_NULL,
    minimum=-math.inf,
    maximum=1.0,
    null=NOT_GIVEN,
    reference="Karr et al. (2006), The American Statistician 60, 224-232",
)
INTERVAL_OVERLAP_MEAN = replace(INTERVAL_OVERLAP, name="interval_overlap_mean")
INTERVAL_OVERLAP_MIN = replace(INTERVAL_OVERLAP, name="interval_overlap_min")
STANDARDISED_DIFFERENCE = replace(
    INTERVAL_OVERLAP,
    name="standardised_difference",
    maximum=math.inf,
    null=0.0,
    reference="Raab, Nowok & Dibben (2021), arXiv:2109.12717",
)
STANDARDISED_DIFFERENCE_MEAN = replace(
    STANDARDISED_DIFFERENCE, name="standardised_difference_mean", minimum=0.0, null=NOT_GIVEN
)
SIGN_AGREEMENT = replace(
    STANDARDISED_DIFFERENCE_MEAN,
    name="sign_agreement",
    maximum=1.0,
    reference="synth_tasks.utility.coefficients; interval: Wilson (1927)",
)
SIGNIFICANCE_AGREEMENT = replace(SIGN_AGREEMENT, name="significance_agreement")
METRICS = (
    INTERVAL_OVERLAP,
    INTERVAL_OVERLAP_MEAN,
    INTERVAL_OVERLAP_MIN,
    STANDARDISED_DIFFERENCE,
    STANDARDISED_DIFFERENCE_MEAN,
    SIGN_AGREEMENT,
    SIGNIFICANCE_AGREEMENT,
)


def measure_coefficients(
    real: Estimates,
    synthetic: Estimates,
    how: HowMade,
    *,
    label: str,
    set_number: int = 0,
    confidence: float = CONFIDENCE,
) -> list[Measurement]:
    """Compare term by term, and summarise.

    Parameters
    ----------
    real, synthetic : Estimates
        With the same terms.
    how : HowMade
        How the synthetic sets were made and pooled.
    label : str
        Name of the analysis.
    set_number : int, default 0
        Number of the set; 0 for pooled estimates.
    confidence : float, default 0.95
        Level of the intervals.

    Returns
    -------
    list of Measurement
        Of terms with target ``"<label>: <term>"``, of the whole with target ``"<label>"``; n = number
        of terms. Shares have a Wilson interval.
    """
    tau2 = how.tau2_by_term(real, synthetic)
    overlaps = interval_overlaps(real, synthetic, confidence)
    expected = np.array(
        [
            expected_overlap(how, tau2=t, df=df, confidence=confidence)
            for t, df in zip(tau2, real.df, strict=True)
        ]
    )
    z = (synthetic.estimates - real.estimates) / real.std_errors
    n, worst = len(real.terms), int(overlaps.argmin())
    terms = [
        metric.measure(value, target=f"{label}: {term}", set_number=set_number, null=null, n=n)
        for metric, values, nulls in (
            (INTERVAL_OVERLAP, overlaps, expected),
            (STANDARDISED_DIFFERENCE, z, np.zeros(n)),
        )
        for term, value, null in zip(real.terms, values, nulls, strict=True)
    ]
    summaries = [
        metric.measure(value, target=label, set_number=set_number, null=null, n=n)
        for metric, value, null in (
            (INTERVAL_OVERLAP_MEAN, overlaps.mean(), expected.mean()),
            (INTERVAL_OVERLAP_MIN, overlaps[worst], expected[worst]),
            (
                STANDARDISED_DIFFERENCE_MEAN,
                np.abs(z).mean(),
                np.sqrt(2 * tau2 / math.pi).mean(),
            ),
        )
    ]
    agreements = [
        metric.measure(
            agrees.mean(),
            target=label,
            set_number=set_number,
            interval=wilson(int(agrees.sum()), n),
            null=null,
            n=n,
        )
        for metric, agrees, null in _agreements(real, synthetic, how, tau2, confidence)
    ]
    return [*terms, *summaries, *agreements]


def interval_overlaps(
    real: Estimates, synthetic: Estimates, confidence: float = CONFIDENCE
) -> np.ndarray:
    """Return the overlap of each pair of intervals, an array of shape (p,)."""
    v, w = real.half_widths(confidence), synthetic.half_widths(confidence)
    common = np.minimum(real.estimates + v, synthetic.estimates + w) - np.maximum(
        real.estimates - v, synthetic.estimates - w
    )
    return (common / (2 * v) + common / (2 * w)) / 2


def _agreements(
    real: Estimates, synthetic: Estimates, how: HowMade, tau2: np.ndarray, confidence: float
) -> list[tuple[Metric, np.ndarray, float]]:
    """Return for both kinds of agreement which terms agree, and the share expected to."""
    z = real.estimates / real.std_errors
    same_sign = np.sign(real.estimates) == np.sign(synthetic.estimates)
    significant = real.significant(confidence)
    probability = np.array(
        [
            expected_significance(how, *known, confidence)
            for known in zip(z, tau2, real.df, strict=True)
        ]
    )
    return [
        (SIGN_AGREEMENT, same_sign, float(expected_sign_agreement(z, tau2).mean())),
        (
            SIGNIFICANCE_AGREEMENT,
            significant == synthetic.significant(confidence),
            float(np.where(significant, probability, 1 - probability).mean()),
        ),
    ]
