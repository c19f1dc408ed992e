"""A test whether all estimates together differ more from the real ones than a synthesis explains.

With d the differences of p synthetic and real estimates, V the real covariance and tau² as in
`estimate_nulls`, d'V⁻¹d / tau² is a chi-square variable with p degrees of freedom if the synthesis is
right. If only some cells were replaced, the covariance B between m > p sets takes the place of V:
m d'B⁻¹d (m - p) / ((m - 1) p) is then an F variable with p and m - p degrees of freedom (Hotelling).

``lack_of_fit``    the statistic divided by its degrees of freedom: 1 if the synthesis is right
``lack_of_fit_p``  probability of a value as great if it is right

References
----------
Raab, Nowok & Dibben (2021). Assessing, visualizing and improving the utility of synthetic data.
arXiv:2109.12717, section 3.
Hotelling (1931). The generalization of Student's ratio. Annals of Mathematical Statistics 2, 360-378.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.estimate_nulls import HowMade
from synth_tasks.utility.estimates import Estimates

LACK_OF_FIT = Metric(
    family="utility",
    name="lack_of_fit",
    goal=Goal.NEAR_NULL,
    minimum=0.0,
    maximum=math.inf,
    null=1.0,
    reference="Raab, Nowok & Dibben (2021), arXiv:2109.12717; Hotelling (1931)",
)
LACK_OF_FIT_P = replace(
    LACK_OF_FIT, name="lack_of_fit_p", goal=Goal.INFORMATION, maximum=1.0, null=NOT_GIVEN
)
METRICS = (LACK_OF_FIT, LACK_OF_FIT_P)

# Directions with less than this share of the greatest variance are determined by the others.
DETERMINED = 1e-10


def measure_lack_of_fit(
    real: Estimates, synthetic: Estimates, how: HowMade, *, label: str, set_number: int = 0
) -> list[Measurement]:
    """Test all terms of an analysis together.

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

    Returns
    -------
    list of Measurement
        ``lack_of_fit`` and ``lack_of_fit_p``, target = label, n = number of terms. Nothing for a
        partial synthesis with no more sets than terms: there is no test.
    """
    tested = _test(real, synthetic, how)
    if tested is None:
        return []
    return [
        metric.measure(value, target=label, set_number=set_number, n=len(real.terms))
        for metric, value in zip(METRICS, tested, strict=True)
    ]


def _test(real: Estimates, synthetic: Estimates, how: HowMade) -> tuple[float, float] | None:
    """Return statistic per degree of freedom and p."""
    difference = synthetic.estimates - real.estimates
    if how.complete:
        covariance = np.diag(real.std_errors**2) if real.covariance is None else real.covariance
        distance, rank = mahalanobis(difference, covariance)
        statistic = distance / how.tau2
        return statistic / rank, float(stats.chi2.sf(statistic, rank))
    if synthetic.between is None or how.m <= len(difference):
        return None
    distance, rank = mahalanobis(difference, synthetic.between)
    statistic = how.m * distance * (how.m - rank) / ((how.m - 1) * rank)
    return statistic, float(stats.f.sf(statistic, rank, how.m - rank))


def mahalanobis(difference: np.ndarray, covariance: np.ndarray) -> tuple[float, int]:
    """Return d'V⁻¹d and the rank of V, leaving out directions without variance.

    Parameters
    ----------
    difference : ndarray of shape (p,)
        d.
    covariance : ndarray of shape (p, p)
        V; terms of different scale are brought to one.
    """
    scale = np.sqrt(np.diag(covariance))
    scale = np.where(scale > 0, scale, 1.0)
    variances, directions = np.linalg.eigh(covariance / np.outer(scale, scale))
    kept = variances > DETERMINED * max(float(variances[-1]), np.finfo(float).tiny)
    along = directions[:, kept].T @ (difference / scale)
    return float((along**2 / variances[kept]).sum()), int(kept.sum())
