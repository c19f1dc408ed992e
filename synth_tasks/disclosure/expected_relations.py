"""The part of DiSCO that anyone who knows the field would have expected.

``disco_one_way``     points of ``disco`` from a value of the target that nearly everybody has who can
                      be read off: at least 50 real rows, and more than 90 % of those that count in
                      ``disco``. To foretell it takes no data.
``disco_two_way``     points of ``disco`` from cells in which at least 5 synthetic rows agree, and whose
                      value one of the keys alone foretells: more than 80 % of the real rows with the
                      same value of that key have it. Nineteen-year-olds are single.
``disco_unexpected``  ``disco`` without both.

All are percent of the real rows. They explain a high ``disco`` and excuse nothing: what was learned
from the real rows shows in its excess over rows that the synthesis has not seen.

Notes
-----
The default thresholds and the idea are those of the R package synthpop (``thresh_1way``,
``thresh_2way``), which flags targets; here the rows behind the flag are counted. Which share of the
rows with a key must have the value is read here as a share of all real rows with the value of that key,
since it is prior knowledge of the population that excuses.

References
----------
Raab (2024). Privacy risk from synthetic data: practical proposals. arXiv:2409.04257.
Raab, Nowok & Dibben (2024). Practical privacy metrics for synthetic data. arXiv:2406.16826, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synth_tasks.disclosure.attribution import Attribution
from synth_tasks.disclosure.disco import DISCO, percent_of_rows
from synth_tasks.ledger import Goal, Measurement

DISCO_UNEXPECTED = replace(DISCO, name="disco_unexpected")
DISCO_ONE_WAY = replace(DISCO, name="disco_one_way", goal=Goal.INFORMATION)
DISCO_TWO_WAY = replace(DISCO_ONE_WAY, name="disco_two_way")
METRICS = (DISCO_UNEXPECTED, DISCO_ONE_WAY, DISCO_TWO_WAY)


@dataclass(frozen=True, slots=True)
class ExpectedLimits:
    """From when on a disclosure would have been expected.

    Parameters
    ----------
    one_way_rows : int, default 50
        Least number of rows with one value of the target that can be read off.
    one_way_share : float, default 0.9
        They must be more than this share of all rows that can be read off.
    two_way_rows : int, default 5
        Least number of synthetic rows in a cell.
    two_way_share : float, default 0.8
        More than this share of the real rows with one key must have the value.
    """

    one_way_rows: int = 50
    one_way_share: float = 0.9
    two_way_rows: int = 5
    two_way_share: float = 0.8


def measure_expected(
    attribution: Attribution, limits: ExpectedLimits | None = None
) -> list[Measurement]:
    """Tell expected from unexpected disclosures.

    Parameters
    ----------
    attribution : Attribution
        The tables of keys and target.
    limits : ExpectedLimits, optional
        From when on a disclosure is expected.

    Returns
    -------
    list of Measurement
        `METRICS` in percent with Wilson interval, n = real rows.
    """
    limits = limits or ExpectedLimits()
    one_way, two_way = _one_way(attribution, limits), _two_way(attribution, limits)
    unexpected = attribution.correct & ~one_way & ~two_way
    return [
        percent_of_rows(DISCO_UNEXPECTED, attribution, unexpected),
        percent_of_rows(DISCO_ONE_WAY, attribution, one_way),
        percent_of_rows(DISCO_TWO_WAY, attribution, two_way),
    ]


def _one_way(attribution: Attribution, limits: ExpectedLimits) -> np.ndarray:
    values, levels = pd.factorize(attribution.target_values, use_na_sentinel=False)
    read_off = np.bincount(values[attribution.correct], minlength=len(levels))
    enough = read_off >= limits.one_way_rows
    dominant = enough & (read_off > limits.one_way_share * read_off.sum())
    return attribution.correct & dominant[values]


def _two_way(attribution: Attribution, limits: ExpectedLimits) -> np.ndarray:
    values, levels = pd.factorize(attribution.target_values, use_na_sentinel=False)
    best = np.zeros(len(values))
    for key in attribution.key_values.T:
        codes, _ = pd.factorize(key, use_na_sentinel=False)
        cells, _ = pd.factorize(codes * len(levels) + values)
        share = np.bincount(cells)[cells] / np.bincount(codes)[codes]
        best = np.maximum(best, share)
    large = attribution.synthetic_in_cell >= limits.two_way_rows
    return attribution.correct & large & (best > limits.two_way_share)
