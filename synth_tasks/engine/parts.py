"""Variables of two parts: first whether there is an ordinary value, then which.

Missing values that are data, codes for their reasons, and spikes (a zero that half of all people share)
do not belong to the distribution of the ordinary values. Such a variable has a *state*, ordinary or one
of the others, that is drawn first; only ordinary values are drawn from the method of the variable. As a
predictor it appears twice, as its state and as its value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Kind, Variable
from synth_tasks.engine.registry import Fitted

ORDINARY = 0


@dataclass(frozen=True)
class Parts:
    """The states of a variable.

    Parameters
    ----------
    variable : Variable
        With spikes, or missing values that are kept as data.

    References
    ----------
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11), section 3.4.
    """

    variable: Variable

    @property
    def state(self) -> Variable:
        """The state as a categorical variable."""
        labels = ["ordinary", *(f"spike {i}" for i, _ in enumerate(self.variable.spikes, 1))]
        if self.variable.keep_missing:
            labels.append("missing")
        kind = Kind.BINARY if len(labels) == 2 else Kind.NOMINAL
        return Variable(f"state of {self.variable.name}", kind, "category", tuple(labels), "str")

    def states(self, values: np.ndarray) -> np.ndarray:
        """Return the state of each value; 0 is ordinary."""
        codes = np.full(len(values), float(ORDINARY))
        for number, spike in enumerate(self.variable.spikes, start=1):
            codes[values == spike] = number
        codes[np.isnan(values)] = len(self.variable.spikes) + 1
        return codes

    def ordinary(self, values: np.ndarray) -> np.ndarray:
        """Mark the ordinary values."""
        return self.states(values) == ORDINARY

    def special_values(self, states: np.ndarray) -> np.ndarray:
        """Return the value of each state; NaN for missing, and in place of ordinary values."""
        values = np.array([np.nan, *self.variable.spikes, np.nan])
        return values[states.astype(int)]


def has_parts(variable: Variable) -> bool:
    """Whether a variable has more states than the ordinary one."""
    return bool(variable.spikes) or variable.keep_missing


@dataclass(frozen=True)
class TwoPart:
    """Models of the state and of the ordinary values.

    Parameters
    ----------
    parts : Parts
        The states.
    state : Fitted
        Draws the state.
    value : Fitted or None
        Draws ordinary values; None if there is none to learn from.
    """

    parts: Parts
    state: Fitted
    value: Fitted | None

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw the state of each row, then a value where it is ordinary."""
        states = self.state.draw(x, rng)
        drawn = self.parts.special_values(states)
        rows = states == ORDINARY
        if self.value is not None and rows.any():
            drawn[rows] = self.value.draw(x[rows], rng)
        return drawn
