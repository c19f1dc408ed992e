"""What a step of disclosure control is: settings that learn a recoding, or choose rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from synth_tasks.data import Schema

RngOf = Callable[..., np.random.Generator]


class Recoding(Protocol):
    """A change of values that the real table has taught."""

    @property
    def schema(self) -> Schema:
        """Description of the recoded table."""
        ...

    @property
    def exact(self) -> bool:
        """Whether equal values stay equal.

        The real table is then recoded, too, so that later steps compare both tables as they would be
        published.
        """
        ...

    def apply(self, matrix: np.ndarray, rng_of: RngOf) -> np.ndarray:
        """Return a recoded copy of an encoded table of shape (n_rows, n_variables).

        `rng_of` gives the generator that belongs to the name of a column.
        """
        ...
