"""Normal regression on a transformed scale, for numbers with a skewed distribution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Kind
from synth_tasks.engine.linear import fit_linear
from synth_tasks.engine.methods.norm import Norm
from synth_tasks.engine.registry import Context, method
from synth_tasks.errors import PlanError

# Date-times have no natural zero, which logarithms and roots need.
RATIOS = frozenset({Kind.NUMERIC, Kind.INTEGER})


@dataclass(frozen=True)
class Transformed:
    """A normal linear model of transformed values.

    Parameters
    ----------
    model : Norm
        On the transformed scale.
    restore : callable
        Turns draws back to the scale of the variable.
    """

    model: Norm
    restore: Callable[[np.ndarray], np.ndarray]

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw parameters and transformed values, as `Norm` does, then transform back."""
        return self.restore(self.model.draw(x, rng))


@method("lognorm", kinds=RATIOS, draws_parameters=True)
def fit_lognorm(y: np.ndarray, x: np.ndarray, context: Context) -> Transformed:
    """Fit a linear model to log(y); refuses zeros and negative values.

    The parameters are drawn from their posterior, as by norm.

    References
    ----------
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11).
    """
    _refuse_negative("lognorm", y, context)
    if (y == 0).any():
        raise PlanError(
            f"method 'lognorm' of '{context.target.name}': the column has zeros; declare 0 as a "
            "spike of the variable, or use sqrtnorm or normrank"
        )
    return Transformed(Norm(fit_linear(np.log(y), x, context)), np.exp)


@method("sqrtnorm", kinds=RATIOS, draws_parameters=True)
def fit_sqrtnorm(y: np.ndarray, x: np.ndarray, context: Context) -> Transformed:
    """Fit a linear model to √y; refuses negative values.

    A negative draw on the transformed scale is squared like any other. The parameters are drawn from
    their posterior, as by norm.

    References
    ----------
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11).
    """
    _refuse_negative("sqrtnorm", y, context)
    return Transformed(Norm(fit_linear(np.sqrt(y), x, context)), np.square)


@method("cubertnorm", kinds=RATIOS, draws_parameters=True)
def fit_cubertnorm(y: np.ndarray, x: np.ndarray, context: Context) -> Transformed:
    """Fit a linear model to the cube root of y, which may be negative.

    The parameters are drawn from their posterior, as by norm.

    References
    ----------
    Nowok, Raab & Dibben (2016). synthpop: bespoke creation of synthetic data in R. Journal of
    Statistical Software 74(11).
    """
    return Transformed(Norm(fit_linear(np.cbrt(y), x, context)), _cube)


def _refuse_negative(name: str, y: np.ndarray, context: Context) -> None:
    if (y < 0).any():
        raise PlanError(
            f"method '{name}' of '{context.target.name}': the column has negative values; use "
            "cubertnorm or normrank"
        )


def _cube(values: np.ndarray) -> np.ndarray:
    return values**3
