"""A grown tree, from whose leaves donors are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.tree.compiled import kernel
from synth_tasks.engine.tree.donors import LeafDonors
from synth_tasks.engine.tree.questions import (
    ROWS_TOGETHER,
    Questions,
    as_columns,
    go_down,
)


@dataclass(frozen=True)
class Tree:
    """A grown tree with its donors: as confidential as the data.

    Parameters
    ----------
    questions : Questions
        The nodes.
    leaf_donors : LeafDonors
        The training values by node; one that counts several times is there several times.
    spread : ndarray of shape (n_predictors,)
        Standard deviations of the numeric predictors, the scale of their thresholds.
    """

    questions: Questions
    leaf_donors: LeafDonors
    spread: np.ndarray

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """Return the node of the leaf each row falls in; see `Questions.leaves`.

        Levels of a nominal predictor that did not occur in a node go with the majority there.
        """
        return self.questions.leaves(x)

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a donor from the leaf of each row, uniformly and independently.

        Parameters
        ----------
        x : ndarray of shape (n_rows, n_predictors)
            Predictors, none missing.
        rng : Generator
            Gives one uniform number a row.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        return self.draw_sets(x, [rng])

    def draw_sets(self, x: np.ndarray, rngs: Sequence[np.random.Generator]) -> np.ndarray:
        """Draw for several sets at once, whose rows stand one after the other.

        Parameters
        ----------
        x : ndarray of shape (n_sets * n_rows, n_predictors)
            Predictors of all sets.
        rngs : sequence of Generator of length n_sets
            One a set.

        Returns
        -------
        ndarray of shape (n_sets * n_rows,)
            The values that each set would be given alone.
        """
        n_rows, donors = len(x) // len(rngs), self.leaf_donors
        drawn = np.concatenate([rng.random(n_rows) for rng in rngs])
        _draw_donors(
            as_columns(x),
            *self.questions.packed,
            donors.start,
            donors.size,
            donors.donors,
            drawn,
        )
        return drawn


@kernel
def _draw_donors(x, nodes, children, first_level, end_level, levels, start, size, donors, drawn):
    """Replace uniform random numbers by donors from the leaves of the rows."""
    at = np.empty(ROWS_TOGETHER, dtype=np.uint32)
    for first in range(0, len(x), ROWS_TOGETHER):
        n_rows = min(ROWS_TOGETHER, len(x) - first)
        go_down(x, first, n_rows, nodes, children, first_level, end_level, levels, at)
        for j in range(n_rows):
            leaf = at[j]
            place = min(int(drawn[first + j] * size[leaf]), size[leaf] - 1)
            drawn[first + j] = donors[start[leaf] + place]
