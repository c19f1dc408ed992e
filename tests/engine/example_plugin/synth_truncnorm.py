"""Normal regression truncated to bounds, as a method that another package adds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import truncnorm

from synth_tasks.engine.linear import LinearModel, fit_linear
from synth_tasks.engine.registry import NUMBERS, Context, method
from synth_tasks.errors import PlanError


@dataclass(frozen=True)
class TruncnormOptions:
    """Options of truncnorm.

    Parameters
    ----------
    lower, upper : float, optional
        Bounds of the draws, in units of the variable; the observed range if not given.
    """

    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise PlanError("method_options.truncnorm.lower must be less than its upper")


@dataclass(frozen=True)
class Truncnorm:
    """Posterior of a normal linear model, and the bounds of what it draws."""

    model: LinearModel
    lower: float
    upper: float

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw parameters, then a value between the bounds for each row."""
        beta, sigma = self.model.draw_parameters(rng)
        mean = self.model.predict(x, beta)
        a, b = (self.lower - mean) / sigma, (self.upper - mean) / sigma
        return mean + sigma * truncnorm.ppf(rng.random(len(x)), a, b)


@method("truncnorm", kinds=NUMBERS, options=TruncnormOptions, draws_parameters=True)
def fit_truncnorm(y: np.ndarray, x: np.ndarray, context: Context) -> Truncnorm:
    """Fit by least squares, as norm does; the fit itself knows of no bounds."""
    options: TruncnormOptions = context.options
    lower = y.min() if options.lower is None else options.lower
    upper = y.max() if options.upper is None else options.upper
    return Truncnorm(fit_linear(y, x, context), float(lower), float(upper))
