"""Trees whose leaves hold donors."""

from synth_tasks.engine.tree.donors import LeafDonors
from synth_tasks.engine.tree.grown import Tree
from synth_tasks.engine.tree.growth import Sample, grow_tree
from synth_tasks.engine.tree.questions import LEAF, Questions
from synth_tasks.engine.tree.sorting import SortedColumns
from synth_tasks.engine.tree.text import tree_as_text

__all__ = [
    "LEAF",
    "LeafDonors",
    "Questions",
    "Sample",
    "SortedColumns",
    "Tree",
    "grow_tree",
    "tree_as_text",
]
