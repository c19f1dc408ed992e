"""What a synthetic set gives away: copies, keys, links to source rows, membership, attributes.

`assess_disclosure` judges one published set, `assess_average` all sets together, and `assess_excess`
what is learned of single records beyond what is true of the population, with `cross_fit` as control.
"""

from synth_tasks.disclosure.assess import METRICS as _METRICS
from synth_tasks.disclosure.assess import TARGET_METRICS as _TARGET_METRICS
from synth_tasks.disclosure.assess import Limits, assess_average, assess_disclosure
from synth_tasks.disclosure.assess_cross_fit import METRICS as EXCESS_METRICS
from synth_tasks.disclosure.assess_cross_fit import TARGET_METRICS as _TARGET_EXCESS_METRICS
from synth_tasks.disclosure.assess_cross_fit import assess_excess
from synth_tasks.disclosure.cross_fitting import CrossFit, Synthesise, cross_fit, divide_in_halves

METRICS = (*_METRICS, *EXCESS_METRICS)
TARGET_METRICS = (*_TARGET_METRICS, *_TARGET_EXCESS_METRICS)

__all__ = [
    "EXCESS_METRICS",
    "METRICS",
    "TARGET_METRICS",
    "CrossFit",
    "Limits",
    "Synthesise",
    "assess_average",
    "assess_disclosure",
    "assess_excess",
    "cross_fit",
    "divide_in_halves",
]
