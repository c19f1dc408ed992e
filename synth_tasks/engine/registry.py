"""The imputation methods and how to add one.

A method is a function that learns from complete training rows and returns something that draws:

    @method("mymethod", kinds=NUMBERS)
    def fit_mymethod(y, x, context): ...     # -> an object with draw(x_new, rng) -> y_new

Other packages register theirs under the entry-point group ``synth_tasks.methods``; the entry point
names the module that holds the decorated function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeGuard

import numpy as np

from synth_tasks.data import Kind, Variable
from synth_tasks.data.closest import did_you_mean
from synth_tasks.engine.tree import Sample
from synth_tasks.errors import PlanError

NUMBERS = frozenset({Kind.NUMERIC, Kind.INTEGER, Kind.DATETIME})
TWO_LEVELS = frozenset({Kind.BINARY, Kind.BOOLEAN})
ALL_KINDS = NUMBERS | TWO_LEVELS | {Kind.NOMINAL, Kind.ORDINAL}


@dataclass(frozen=True)
class Context:
    """What a method is told besides the numbers.

    Parameters
    ----------
    target : Variable
        The variable to be imputed.
    predictors : tuple of Variable
        One per column of `x`; categories come as codes 0, 1, ...
    options : object
        The method's own options, an instance of the class it registered.
    log : callable
        Takes one line about anything the user should know (a fallback, a dropped predictor).
    sample : Sample, optional
        The training rows as part of a table that is sorted once for all variables, for methods that
        registered with ``samples=True``: `y` and `x` then hold each row once, however often it counts.
    """

    target: Variable
    predictors: tuple[Variable, ...]
    options: Any
    log: Callable[[str], None]
    sample: Sample | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave behind, when stored, where remarks went to at the time of the fit."""
        return Context, (self.target, self.predictors, self.options, discard_remark)


def discard_remark(event: str) -> None:
    """Take a remark of a method that is fitted again after it was stored."""


class Fitted(Protocol):
    """A fitted method; it may hold donors and is then as confidential as the data."""

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one value for each row of `x`, an array of shape (n_rows, n_predictors)."""
        ...


class DrawsSets(Protocol):
    """A fitted method that draws several sets in one go, each as it would be drawn alone."""

    def draw_sets(self, x: np.ndarray, rngs: Sequence[np.random.Generator]) -> np.ndarray:
        """Draw for sets whose rows stand one after the other in `x`, equally many and one rng a set."""
        ...


def draws_sets(fitted: object) -> TypeGuard[DrawsSets]:
    """Whether a fitted method draws several sets in one go."""
    return hasattr(fitted, "draw_sets")


Fit = Callable[[np.ndarray, np.ndarray, Context], Fitted]


@dataclass(frozen=True)
class NoOptions:
    """Options of a method that has none."""


@dataclass(frozen=True)
class Method:
    """A registered method.

    Parameters
    ----------
    name : str
        As written in the method vector.
    fit : callable
        ``fit(y, x, context)`` with `y` of shape (n_rows,) and `x` of shape (n_rows, n_predictors),
        both without missing values.
    kinds : frozenset of Kind
        What kinds of variable it can impute.
    options : type
        Dataclass of its options with their defaults; it checks values itself.
    draws_parameters : bool
        Whether `draw` already varies the model's parameters, as a proper imputation must.
    donors : bool
        Whether `draw` returns values observed in training rows, which smoothing may then replace.
    samples : bool
        Whether `fit` reads ``context.sample``, if it is given.
    """

    name: str
    fit: Fit
    kinds: frozenset[Kind]
    options: type
    draws_parameters: bool
    donors: bool
    samples: bool = False


_METHODS: dict[str, Method] = {}


def method(
    name: str,
    kinds: frozenset[Kind] = ALL_KINDS,
    options: type = NoOptions,
    draws_parameters: bool = False,
    donors: bool = False,
    samples: bool = False,
) -> Callable[[Fit], Fit]:
    """Register a fit function under a name; see `Method` for the parameters."""

    def register(fit: Fit) -> Fit:
        _METHODS[name] = Method(
            name, fit, frozenset(kinds), options, draws_parameters, donors, samples
        )
        return fit

    return register


@cache
def _load_plugins() -> None:
    for entry in entry_points(group="synth_tasks.methods"):
        entry.load()


def find_method(name: str) -> Method:
    """Return the method of that name, looking into plug-ins if need be."""
    if name not in _METHODS:
        _load_plugins()
    if name not in _METHODS:
        meant = did_you_mean(name, _METHODS)
        raise PlanError(
            f"unknown method '{name}'; use one of {', '.join(sorted(_METHODS))}"
            + (f": {meant}" if meant else "")
        )
    return _METHODS[name]


def check_suits(name: str, variable: Variable) -> None:
    """Refuse a method that cannot impute a variable of this kind."""
    found = find_method(name)
    if variable.kind not in found.kinds:
        fitting = sorted(n for n, m in _METHODS.items() if variable.kind in m.kinds)
        raise PlanError(
            f"method '{name}' cannot be used for the {variable.kind} variable '{variable.name}'; "
            f"use {', '.join(fitting)} or a formula"
        )


def require_whole(option: str, value: Any, least: int) -> None:
    """Refuse an option that is not a whole number, or too small."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise PlanError(f"method_options.{option} must be a whole number of {least} or more")


def make_options(name: str, given: Mapping[str, Any] | None) -> Any:
    """Build the options of a method from what the user gave."""
    options = find_method(name).options
    known = [f.name for f in fields(options)]
    for key in given or {}:
        if key not in known:
            raise PlanError(
                f"method '{name}' has no option '{key}'; it has {', '.join(known) or 'none'}"
            )
    return options(**(given or {}))
