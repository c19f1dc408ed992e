"""Pictures of synthetic data: functions from data to a matplotlib figure, and their export.

Nothing is kept between calls, and the same data give the same picture.
"""

from synth_tasks.release.pictures._canvas import to_png, to_svg
from synth_tasks.release.pictures._coefficients import (
    coefficients,
    count_decimals,
    format_fixed,
    format_interval,
)
from synth_tasks.release.pictures._controlled import controlled
from synth_tasks.release.pictures._correlations import correlations
from synth_tasks.release.pictures._disclosure import disclosure
from synth_tasks.release.pictures._frontier import frontier
from synth_tasks.release.pictures._marginals import marginals
from synth_tasks.release.pictures._pair_utility import pair_utility
from synth_tasks.release.pictures._study import bias, coverage, zip_plot
from synth_tasks.release.pictures._wording import Wording, describe_metric, metric_order

__all__ = [
    "Wording",
    "bias",
    "coefficients",
    "controlled",
    "correlations",
    "count_decimals",
    "coverage",
    "describe_metric",
    "disclosure",
    "format_fixed",
    "format_interval",
    "frontier",
    "marginals",
    "metric_order",
    "pair_utility",
    "to_png",
    "to_svg",
    "zip_plot",
]
