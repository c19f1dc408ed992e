"""Simulation studies of the validity of what is learnt from synthetic sets.

A data set takes the part of the population. Samples are drawn from it with replacement, every sample is
synthesised, and estimates from the synthetic sets are compared with those of the population.
"""

from synth_tasks.study.population import Population, make_population
from synth_tasks.study.replicate import Replicates, run_replicates
from synth_tasks.study.summary import (
    tabulate_coverage,
    tabulate_linkage,
    tabulate_statistics,
)

__all__ = [
    "Population",
    "Replicates",
    "make_population",
    "run_replicates",
    "tabulate_coverage",
    "tabulate_linkage",
    "tabulate_statistics",
]
