"""Correct attribution probability: how likely an intruder who knows the keys guesses the target.

The intruder looks up the keys of a person and picks one of the rows found at random. With d_tq and s_tq
as for `disco`, n the number of real rows, in percent:

    dcap          100 sum of d_tq s_tq / s_.q over {q: s_.q > 0} / n
    cap_original  100 sum of d_tq d_tq / d_.q / n
    cap_baseline  100 sum over t of (d_t. / n)^2
    tcap          100 sum of d_tq over {q, t: s_tq = s_.q > 0}
                    / sum of d_.q over {q: s_tq = s_.q > 0 for some t}

``dcap`` is that of the synthetic set (its variant DCAP_d, in which keys that are not found count as
failures), ``cap_original`` what the real data would give, ``cap_baseline`` what their margin alone
would give. ``tcap`` is the share of apparent disclosures that are right; where nothing is disclosed it
is 0. It may be high where hardly anything can be read off: look at ``disclosive_synthetic`` beside it.

None has a null value; see `disco`.

References
----------
Elliot (2014). Final report on the disclosure risk associated with the synthetic data produced by the
SYLLS team. University of Manchester.
Taub, Elliot, Pampaka & Smith (2018). Differential correct attribution probability for synthetic data:
an exploration. Privacy in Statistical Databases, 122-137.
Little, Elliot & Allmendinger (2022). Comparing the utility and disclosure risk of synthetic data with
samples of microdata. Privacy in Statistical Databases, 234-249.
Raab, Nowok & Dibben (2024). Practical privacy metrics for synthetic data. arXiv:2406.16826.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from synth_tasks.disclosure.attribution import Attribution
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.intervals import Interval, mean_interval, wilson

DCAP = Metric(
    family="disclosure",
    name="dcap",
    goal=Goal.LOW,
    minimum=0.0,
    maximum=100.0,
    null=NOT_GIVEN,
    reference="Taub et al. (2018); Raab, Nowok & Dibben (2024), arXiv:2406.16826",
)
CAP_ORIGINAL = replace(DCAP, name="cap_original", goal=Goal.INFORMATION)
CAP_BASELINE = replace(CAP_ORIGINAL, name="cap_baseline")
TCAP = replace(CAP_ORIGINAL, name="tcap", reference="Little et al. (2022); interval: Wilson (1927)")
METRICS = (DCAP, CAP_ORIGINAL, CAP_BASELINE, TCAP)


def measure_attribution_probability(attribution: Attribution) -> list[Measurement]:
    """Measure how often a guess would be right.

    Parameters
    ----------
    attribution : Attribution
        The tables of keys and target.

    Returns
    -------
    list of Measurement
        `METRICS` in percent; ``dcap`` with the normal interval of a mean, ``tcap`` with that of
        Wilson. n = real rows, for ``tcap`` those for which something is disclosed, rightly or not.
    """
    n = len(attribution.found)
    original = attribution.real_in_cell / attribution.real_in_keys
    codes, _ = pd.factorize(attribution.target_values, use_na_sentinel=False)
    margin = np.bincount(codes) / n
    right, told = (
        int(attribution.correct.sum()),
        int((attribution.found & attribution.settled).sum()),
    )
    not_given = (NOT_GIVEN, NOT_GIVEN)
    figures: list[tuple[Metric, float, Interval, int]] = [
        (DCAP, attribution.probability.mean(), mean_interval(attribution.probability), n),
        (CAP_ORIGINAL, original.mean(), not_given, n),
        (CAP_BASELINE, float(margin @ margin), not_given, n),
        (TCAP, right / max(told, 1), wilson(right, told), told),
    ]
    return [
        metric.measure(
            100 * value,
            target=attribution.target,
            keys="+".join(attribution.keys),
            set_number=attribution.set_number,
            interval=(100 * lower, 100 * upper),
            n=size,
        )
        for metric, value, (lower, upper), size in figures
    ]
