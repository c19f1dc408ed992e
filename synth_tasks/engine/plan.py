"""Everything that is decided before the first number is drawn."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from synth_tasks.data import Schema
from synth_tasks.engine.formulas import read_formula
from synth_tasks.engine.passive import PassiveVariables
from synth_tasks.engine.redundancy import Derivation
from synth_tasks.engine.rules import Rules, RuleTexts
from synth_tasks.expressions import Expression
from synth_tasks.inference.formula import Formula

Conditioning = Literal["synthetic", "observed"]
SmoothingKind = Literal["density", "spline"]
MARGIN_METHOD = "sample"


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """Something the engine decided that the user did not ask for.

    Parameters
    ----------
    variable : str
        The variable concerned.
    event : str
        What happened, in one line.
    imputation, iteration : int
        Where in the chain; 0 at set-up.
    """

    variable: str
    event: str
    imputation: int = 0
    iteration: int = 0


@dataclass(frozen=True, eq=False)
class ImputationPlan:
    """A resolved and checked set-up; the loop only executes it.

    Parameters
    ----------
    schema : Schema
        All variables in column order.
    m, maxit : int
        Number of imputations or synthetic sets, and of sweeps over the missing cells.
    methods : mapping of str to str
        Method of each variable; a formula (``~ ...``) for passive ones; empty for those left alone.
    predictors : mapping of str to tuple of str
        Allowed predictors of each variable, in column order.
    visit_sequence : tuple of str
        Order in which variables are imputed.
    where : ndarray of bool of shape (n_rows, n_variables)
        Cells to fill in.
    missing : ndarray of bool of shape (n_rows, n_variables)
        Cells that hold no value.
    post : mapping of str to str
        Formula applied to the values drawn.
    ignore : ndarray of bool of shape (n_rows,)
        Rows that no model is fitted on.
    conditioning : {"synthetic", "observed"}
        What synthetic values are drawn given: the synthetic or the real values of the row.
    proper : bool
        Whether methods that do not draw their parameters are fitted on bootstrap samples.
    k : int
        Rows of a synthetic set.
    options : mapping of str to mapping
        Options by method.
    variable_options : mapping of str to mapping
        Options of the method of single variables; they count more.
    r : int
        Syntheses of each imputation, where incomplete data are synthesised.
    formulas : mapping of str to str
        Model formulas that say how predictors enter.
    rules : mapping of str to mapping
        Conditions under which a variable has one value only.
    smoothing : mapping of str to {"density", "spline"}
        How drawn values of donors are smoothed, for numeric variables.
    tail_support : int
        Least number of donors behind the largest and smallest values of a synthesis.
    strata : tuple of str
        Variables whose categories divide the data into parts, each with models of its own.
    min_stratum_size : int
        Strata with fewer rows are merged.
    derived : mapping of str to Derivation
        Columns computed from others that say the same.
    events : tuple of LoggedEvent
        What was decided on the user's behalf.
    """

    schema: Schema
    m: int
    maxit: int
    methods: Mapping[str, str]
    predictors: Mapping[str, tuple[str, ...]]
    visit_sequence: tuple[str, ...]
    where: np.ndarray
    missing: np.ndarray
    post: Mapping[str, str]
    ignore: np.ndarray
    conditioning: Conditioning
    proper: bool
    k: int
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    variable_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    r: int = 1
    formulas: Mapping[str, str] = field(default_factory=dict)
    rules: RuleTexts = field(default_factory=dict)
    smoothing: Mapping[str, SmoothingKind] = field(default_factory=dict)
    tail_support: int = 1
    strata: tuple[str, ...] = ()
    min_stratum_size: int = 1
    derived: Mapping[str, Derivation] = field(default_factory=dict)
    events: tuple[LoggedEvent, ...] = ()

    @cached_property
    def passive(self) -> PassiveVariables:
        """The passive variables and their formulas."""
        return PassiveVariables(
            {name: text for name, text in self.methods.items() if is_formula(text)}, self.schema
        )

    @cached_property
    def post_expressions(self) -> dict[str, Expression]:
        """The post-processing formulas."""
        return {
            name: Expression(text, origin=f"post of '{name}'")
            for name, text in self.post.items()
            if text
        }

    @cached_property
    def formula_columns(self) -> dict[str, Formula]:
        """The model formulas."""
        return {name: read_formula(name, text, self.schema) for name, text in self.formulas.items()}

    @cached_property
    def ruled(self) -> Rules:
        """The rules."""
        return Rules(self.rules, self.schema)

    def options_of(self, name: str, method: str) -> dict[str, Any]:
        """Return the options of a method where it is used for a variable."""
        own = self.variable_options.get(name, {}) if method == self.methods[name] else {}
        return {**self.options.get(method, {}), **own}

    @property
    def n_rows(self) -> int:
        """Rows of the data."""
        return len(self.where)

    @cached_property
    def overimputed(self) -> np.ndarray:
        """Observed cells to be replaced, of shape (n_rows, n_variables)."""
        return self.where & ~self.missing

    @cached_property
    def replaced(self) -> np.ndarray:
        """Cells that a synthesis draws anew, of shape (n_rows, n_variables).

        Where a variable has missing cells only, its imputations stay.
        """
        columns = np.asarray(self.overimputed.any(axis=0))
        for name in self.passive.order:
            inputs = [self.schema.position(i) for i in self.passive.expressions[name].names]
            columns[self.schema.position(name)] |= columns[inputs].any()
        return self.where & columns

    @cached_property
    def drawn(self) -> list[str]:
        """Variables that a synthesis draws from a model, in visiting order."""
        return [
            name
            for name in self.visit_sequence
            if not is_formula(self.methods[name]) and self.column(self.replaced, name).any()
        ]

    @property
    def synthesises(self) -> bool:
        """Whether any observed cell is to be replaced."""
        return bool(self.overimputed.any())

    @property
    def incomplete(self) -> list[str]:
        """Variables with missing values that have a method to fill them in, in visiting order."""
        return [v for v in self.visit_sequence if self.column(self.missing, v).any()]

    def of_whole_rows(self, rows: np.ndarray) -> ImputationPlan:
        """Return the plan for some rows, given by number, in which all cells hold a value by now.

        What a synthesis draws is drawn there too, from models of these rows alone.
        """
        return replace(
            self,
            where=self.replaced[rows],
            missing=np.zeros_like(self.missing[rows]),
            ignore=self.ignore[rows],
            k=len(rows),
            strata=(),
        )

    def column(self, matrix: np.ndarray, name: str) -> np.ndarray:
        """Return the column of a variable."""
        return matrix[:, self.schema.position(name)]

    @cached_property
    def sequential_predictors(self) -> dict[str, tuple[str, ...]]:
        """The predictors of each variable in a sequential synthesis.

        These are the allowed predictors that are not overimputed at all, or that were visited before.
        A passive variable counts as visited as soon as its inputs are.
        """
        done = [v.name for v in self.schema if not self.column(self.replaced, v.name).any()]
        found = {}
        for name in self.drawn:
            visited = {*done, *self.passive.ready(done)}
            found[name] = tuple(p for p in self.predictors[name] if p in visited)
            done.append(name)
        return found

    def effective_methods(self) -> dict[str, str]:
        """Return the methods that a sequential synthesis uses.

        A variable without predictors is drawn from its margin: a model with an intercept only would
        bend its shape.
        """
        methods = dict(self.methods)
        if self.conditioning == "synthetic":
            predictors = self.sequential_predictors
            methods |= {name: MARGIN_METHOD for name, p in predictors.items() if not p}
        return methods

    # --- printing and storing --------------------------------------------------------------------

    def __str__(self) -> str:
        """Return a table of what will be done."""
        sequential = self.synthesises and self.conditioning == "synthetic"
        predictors = self.sequential_predictors if sequential else self.predictors
        methods = self.effective_methods() if sequential else self.methods
        rows = [
            {
                "variable": name,
                "kind": str(self.schema[name].kind),
                "method": methods[name],
                "cells": int(self.column(self.where, name).sum()),
                "predictors": ", ".join(predictors.get(name, ())) or "-",
            }
            for name in self.visit_sequence
        ]
        head = f"m = {self.m}, maxit = {self.maxit}, conditioning on {self.conditioning} values"
        return head + "\n" + pd.DataFrame(rows).to_string(index=False)

    def to_json(self) -> str:
        """Serialise the plan; `from_json` reads it back."""
        return json.dumps(
            {
                "schema": self.schema.to_dict(),
                "m": self.m,
                "maxit": self.maxit,
                "methods": dict(self.methods),
                "predictors": {name: list(p) for name, p in self.predictors.items()},
                "visit_sequence": list(self.visit_sequence),
                "n_rows": self.n_rows,
                "where": _pack(self.where),
                "missing": _pack(self.missing),
                "post": dict(self.post),
                "ignore": _pack(self.ignore),
                "conditioning": self.conditioning,
                "proper": self.proper,
                "k": self.k,
                "options": {name: dict(o) for name, o in self.options.items()},
                "variable_options": {name: dict(o) for name, o in self.variable_options.items()},
                "r": self.r,
                "formulas": dict(self.formulas),
                "rules": {name: dict(r) for name, r in self.rules.items()},
                "smoothing": dict(self.smoothing),
                "tail_support": self.tail_support,
                "strata": list(self.strata),
                "min_stratum_size": self.min_stratum_size,
                "derived": {name: d.to_dict() for name, d in self.derived.items()},
                "events": [[e.variable, e.event] for e in self.events],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> ImputationPlan:
        """Rebuild a plan from `to_json`."""
        item = json.loads(text)
        schema = Schema.from_dict(item.pop("schema"))
        n_rows = item.pop("n_rows")
        for name in ("where", "missing"):
            item[name] = _unpack(item[name], (n_rows, len(schema)))
        item["ignore"] = _unpack(item["ignore"], (n_rows,))
        item["predictors"] = {name: tuple(p) for name, p in item["predictors"].items()}
        item["visit_sequence"] = tuple(item["visit_sequence"])
        item["strata"] = tuple(item["strata"])
        item["derived"] = {n: Derivation.from_dict(d) for n, d in item["derived"].items()}
        item["events"] = tuple(LoggedEvent(*event) for event in item["events"])
        return cls(schema=schema, **item)


def _pack(mask: np.ndarray) -> str:
    return base64.b64encode(np.packbits(mask).tobytes()).decode()


def _unpack(text: str, shape: tuple[int, ...]) -> np.ndarray:
    bits = np.frombuffer(base64.b64decode(text), dtype=np.uint8)
    return np.unpackbits(bits, count=int(np.prod(shape))).astype(bool).reshape(shape)


def is_formula(method: str) -> bool:
    """Whether a method is the formula of a passive variable."""
    return method.lstrip().startswith("~")
