"""What a synthetic set keeps: distributions, joint distributions, correlations, missing values."""

from synth_tasks.utility.assess import METRICS, assess_utility

__all__ = ["METRICS", "assess_utility"]
