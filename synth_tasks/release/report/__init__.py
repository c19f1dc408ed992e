"""The reports of a release: one self-contained HTML file each, without scripts.

The public report is made from what remains when everything about the real data is taken away
(`withhold_real`); the template never sees more. The private report has it all and says so in red.
"""

from synth_tasks.release.report._content import PUBLIC_SUITES, ReportContent, withhold_real
from synth_tasks.release.report._frontier import FrontierContent, judge_frontier, render_frontier
from synth_tasks.release.report._page import render_report, render_validation
from synth_tasks.release.report._study import StudyContent, judge_study, render_study
from synth_tasks.release.report._summary import Light, summarise

__all__ = [
    "PUBLIC_SUITES",
    "FrontierContent",
    "Light",
    "ReportContent",
    "StudyContent",
    "judge_frontier",
    "judge_study",
    "render_frontier",
    "render_report",
    "render_study",
    "render_validation",
    "summarise",
    "withhold_real",
]
