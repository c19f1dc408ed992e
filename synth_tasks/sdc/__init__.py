"""Statistical disclosure control of synthetic sets: data frames in, data frames and counts out."""

from synth_tasks.sdc.changes import Changes
from synth_tasks.sdc.control import Controlled, Derivation, Redraw, Step, control
from synth_tasks.sdc.rare_levels import MergeRareLevels
from synth_tasks.sdc.replicated_uniques import DropReplicatedUniques, RedrawReplicatedUniques
from synth_tasks.sdc.rounding import Round
from synth_tasks.sdc.smooth import Smooth
from synth_tasks.sdc.top_bottom import TopBottomCode

__all__ = [
    "Changes",
    "Controlled",
    "Derivation",
    "DropReplicatedUniques",
    "MergeRareLevels",
    "Redraw",
    "RedrawReplicatedUniques",
    "Round",
    "Smooth",
    "Step",
    "TopBottomCode",
    "control",
]
