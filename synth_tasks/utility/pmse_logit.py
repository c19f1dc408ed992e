"""pMSE of a logistic regression on main effects and products of two variables, against its null.

With N rows, c the share of synthetic ones and K parameters, the pMSE (see `propensity`) of a synthetic
table drawn from the real one (plug-in) is (1 - c)² c / N times a chi-square variable with K - 1 degrees
of freedom. Hence

``pmse_logit``   pMSE / expectation: 1 for a plug-in synthesis; 2 for a proper synthesis (parameters
                 drawn anew) and for another real sample, where k = n. Values far below 1 say that rows
                 were copied.
``pmse_logit_z`` (pMSE - expectation) / standard deviation: 0 for a plug-in synthesis
``specks_logit`` SPECKS of the same scores

Main effects alone would rate tables with the right margins and no relations as perfect. If only a
sample of the real rows is compared, expectation and deviation are raised accordingly; see `sampling`.

For SPECKS the scores of both tables are taken as normal, delta standard deviations apart, where
pMSE = c² (1 - c)² delta². The null of delta² is (K - 1) / k, that of SPECKS 2 Phi(delta / 2) - 1, which
is right to about a fifth.

References
----------
Snoke, Raab, Nowok, Dibben & Slavkovic (2018). General and specific utility measures for synthetic data.
Journal of the Royal Statistical Society A 181, 663-688, theorem 1 and appendix.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

from synth_tasks.ledger import Goal, Measurement, Metric
from synth_tasks.utility.features import pool_rows
from synth_tasks.utility.interactions import build_design
from synth_tasks.utility.intervals import CONFIDENCE, Interval
from synth_tasks.utility.logistic import fit_propensities
from synth_tasks.utility.propensity import pmse, specks
from synth_tasks.utility.sampling import SampledPair

PMSE_LOGIT = Metric(
    family="utility",
    name="pmse_logit",
    goal=Goal.NEAR_NULL,
    minimum=0.0,
    maximum=math.inf,
    null=1.0,
    reference="Snoke, Raab, Nowok, Dibben & Slavkovic (2018), JRSS A 181, 663-688",
)
PMSE_LOGIT_Z = replace(PMSE_LOGIT, name="pmse_logit_z", minimum=-math.inf, null=0.0)
SPECKS_LOGIT = replace(
    PMSE_LOGIT,
    name="specks_logit",
    goal=Goal.NEAR_NULL,
    maximum=1.0,
    null=math.nan,
    reference="Bowen, Liu & Su (2021), METRON 79, 1-31",
)
METRICS = (PMSE_LOGIT, PMSE_LOGIT_Z, SPECKS_LOGIT)

MAX_COLUMNS = 400
ROWS_PER_COLUMN = 10


def measure_pmse_logit(sampled: SampledPair, max_columns: int = MAX_COLUMNS) -> list[Measurement]:
    """Measure a synthetic set.

    Parameters
    ----------
    sampled : SampledPair
        The tables, or a sample of their rows.
    max_columns : int, default 400
        Most columns of the regression; no more than a tenth of the rows either, but always all main
        effects.

    Returns
    -------
    list of Measurement
        ``pmse_logit`` with a 95 % interval, ``pmse_logit_z`` and ``specks_logit``; n = rows compared.
    """
    rows = pool_rows(sampled.pair)
    n_rows, share = len(rows.x), rows.synthetic_share
    design = build_design(rows, min(max_columns, n_rows // ROWS_PER_COLUMN))
    fitted = fit_propensities(design, rows.is_synthetic)
    slopes = fitted.n_parameters - 1
    # Theorem 1 in terms of delta²: (1 - c)² c / N = c² (1 - c)² / k, with 1 / k the plug-in variance.
    unit = (share * (1 - share)) ** 2 * sampled.plug_in_variance
    error = pmse(fitted.scores, share)
    # A table without a varying column is reproduced by every synthesis.
    ratio = error / (unit * slopes) if slopes else 1.0
    z = (ratio - 1) * math.sqrt(slopes / 2)
    distance = math.sqrt(slopes * sampled.plug_in_variance)
    number = sampled.pair.set_number
    return [
        PMSE_LOGIT.measure(ratio, set_number=number, interval=_interval(ratio, slopes), n=n_rows),
        PMSE_LOGIT_Z.measure(z, set_number=number, n=n_rows),
        SPECKS_LOGIT.measure(
            specks(fitted.scores, rows.is_synthetic),
            set_number=number,
            null=2 * float(stats.norm.cdf(distance / 2)) - 1,
            n=n_rows,
        ),
    ]


def _interval(ratio: float, slopes: int) -> Interval:
    """Return the normal interval of a noncentral chi-square variable divided by its df."""
    if slopes == 0:
        return ratio, ratio
    noncentral = slopes * max(0.0, ratio - 1)
    deviation = np.sqrt(2 * (slopes + 2 * noncentral)) / slopes
    half = float(stats.norm.ppf(0.5 + CONFIDENCE / 2) * deviation)
    return max(0.0, ratio - half), ratio + half
