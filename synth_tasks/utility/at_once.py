"""Pairs of tables that are judged at once: the worst of many is bad by chance alone.

If a synthesis is right, S_pMSE times its degrees of freedom is about a chi-square variable, twice one
if parameters were drawn anew. For a binary variable (one degree of freedom) it exceeds 10 in 0.16 % of
tables, and 20 strata with 10 variables and 5 sets have a thousand. From each figure is taken off what
chance adds to the null value in one of forty such families at most (Bonferroni), here 17 for one degree
of freedom, 6 for four and 2 for 24; what is left is evidence.

References
----------
Voas & Williamson (2001). Evaluating goodness-of-fit measures for synthetic microdata. Geographical
and Environmental Modelling 5, 177-200.
Bonferroni (1936). Teoria statistica delle classi e calcolo delle probabilita.
"""

from __future__ import annotations

from dataclasses import dataclass

from synth_tasks.utility.intervals import CONFIDENCE


@dataclass(frozen=True, slots=True)
class AtOnce:
    """The family to which the figures of a pair of tables belong.

    Parameters
    ----------
    tables : int, default 1
        Pairs of tables in it: sets times strata.
    proper : bool, default False
        Whether the synthesis drew parameters anew.
    """

    tables: int = 1
    proper: bool = False

    def confidence(self, figures: int) -> float:
        """Return the level of an interval, so that those of all tables hold at once at 95 %.

        Parameters
        ----------
        figures : int
            Figures of the same kind that each pair of tables has, such as one a variable.
        """
        return 1 - (1 - CONFIDENCE) / (self.tables * max(1, figures))
