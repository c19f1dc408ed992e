"""What the tests of the engine build again and again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.data import Kind, Variable, encode, infer_schema
from synth_tasks.engine.plan import ImputationPlan
from synth_tasks.engine.planning import make_plan
from synth_tasks.engine.registry import Context, Fitted, find_method, make_options

FIXTURES = Path(__file__).parent / "fixtures"
STAGES = [f"G{i}" for i in range(1, 6)]
PUBIC_HAIR = [f"P{i}" for i in range(1, 7)]
REGIONS = ["north", "east", "west", "south", "city"]


def read_fixture(name: str) -> dict[str, Any]:
    """Read reference values written by make_fixtures.R."""
    return json.loads((FIXTURES / name).read_text())


def number(name: str = "y") -> Variable:
    return Variable(name, Kind.NUMERIC, "float64")


def category(n_levels: int, kind: Kind = Kind.NOMINAL, name: str = "y") -> Variable:
    labels = tuple(f"level {i}" for i in range(n_levels))
    return Variable(name, kind, "category", labels, "str", ordered=kind is Kind.ORDINAL)


def numbers(count: int) -> tuple[Variable, ...]:
    return tuple(number(f"x{i}") for i in range(count))


def context(
    method: str,
    target: Variable,
    predictors: Sequence[Variable],
    log: list[str] | None = None,
    **options: object,
) -> Context:
    """Tell a method about its variables and options; remarks go to `log`."""
    remarks = [] if log is None else log
    return Context(target, tuple(predictors), make_options(method, options), remarks.append)


def fit(
    method: str,
    y: np.ndarray,
    x: np.ndarray,
    target: Variable | None = None,
    predictors: Sequence[Variable] | None = None,
    log: list[str] | None = None,
    **options: object,
) -> Fitted:
    """Fit a method; all variables are numbers unless said otherwise."""
    told = context(method, target or number(), predictors or numbers(x.shape[1]), log, **options)
    return find_method(method).fit(np.asarray(y, dtype=float), np.asarray(x, dtype=float), told)


def correlated(n_rows: int, rho: float, rng: np.random.Generator) -> pd.DataFrame:
    """Draw standard normal x and y with correlation rho."""
    x = rng.standard_normal(n_rows)
    return pd.DataFrame({"x": x, "y": rho * x + np.sqrt(1 - rho**2) * rng.standard_normal(n_rows)})


def correlation(frame: pd.DataFrame) -> float:
    return float(np.corrcoef(frame.to_numpy(dtype=float).T)[0, 1])


SMALL = pd.DataFrame(
    {
        "a": [1.0, None, 3.0, 4.0],
        "b": [1.0, 2.0, None, 4.0],
        "c": [1.5, 2.5, 3.5, 4.5],
        "g": pd.Categorical(["u", "v", None, "u"]),
    }
)


def plan(frame: pd.DataFrame = SMALL, **settings: Any) -> ImputationPlan:
    """Plan for a table, with the arguments of `mice`."""
    schema = infer_schema(frame)
    return make_plan(schema, np.isnan(encode(frame, schema)), **settings)
