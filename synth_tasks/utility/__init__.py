"""What a synthetic set keeps: distributions, relations of any form, missing values, and analyses."""

from synth_tasks.utility.assess import METRICS, assess_utility
from synth_tasks.utility.density_ratio import map_density_ratio
from synth_tasks.utility.estimate_nulls import HowMade, expected_overlap
from synth_tasks.utility.estimates import Estimates
from synth_tasks.utility.general import GENERAL_METRICS, RowLimits, assess_general
from synth_tasks.utility.specific import SPECIFIC_METRICS, compare_estimates

__all__ = [
    "GENERAL_METRICS",
    "METRICS",
    "SPECIFIC_METRICS",
    "Estimates",
    "HowMade",
    "RowLimits",
    "assess_general",
    "assess_utility",
    "compare_estimates",
    "expected_overlap",
    "map_density_ratio",
]
