"""What a synthetic set gives away: copies, replicated uniques, links to source rows."""

from synth_tasks.disclosure.assess import METRICS, assess_average, assess_disclosure

__all__ = ["METRICS", "assess_average", "assess_disclosure"]
