"""The file of a portable synthesizer: JSON text, with nothing in it that is run.

The text holds one object:

``format``, ``version``
    What this is.
``plan``
    As `ImputationPlan.to_json` writes it, with a single row.
``k``
    Rows of a synthetic set.
``sizes``
    Relative sizes of the strata, whole numbers; null without strata.
``models``
    For each stratum, or once: a list of objects with the ``name`` of a variable, its ``predictors``,
    their ``columns`` and the ``model``, in the order in which they are drawn; see
    `synth_tasks.engine.portable.records`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from synth_tasks.engine.fitting import FittedVariable
from synth_tasks.engine.plan import ImputationPlan
from synth_tasks.engine.portable.checking import Place, check_model, require
from synth_tasks.engine.portable.make import (
    empty_plan,
    no_cells,
    require_exportable,
    sized_strata,
)
from synth_tasks.engine.portable.records import field_types, fits, from_record, to_record
from synth_tasks.engine.predictors import PlainColumns
from synth_tasks.engine.registry import Fitted
from synth_tasks.engine.synthesizer import (
    AnySynthesizer,
    StratifiedSynthesizer,
    SynthesisStep,
    Synthesizer,
)
from synth_tasks.errors import PlanError, StorageError, SynthError
from synth_tasks.files import readable_errors, write_atomically

FORMAT = "prefect-synth portable synthesizer"
VERSION = 2
KEYS = {"format", "version", "plan", "k", "sizes", "models"}
STEP_KEYS = {"name", "predictors", "columns", "model"}
MAX_ROWS = 10**9
MAX_STRATA_UNITS = 10**6
SHARED_FILE = 0o644


def to_json(synthesizer: AnySynthesizer) -> str:
    """Write a portable synthesizer as JSON.

    Parameters
    ----------
    synthesizer : Synthesizer or StratifiedSynthesizer
        From `make_portable`.

    Returns
    -------
    str
        `from_json` reads it; the draws stay the same to the last bit.
    """
    plan, sizes = synthesizer.plan, None
    require_exportable(plan)
    if isinstance(synthesizer, StratifiedSynthesizer):
        parts = synthesizer.synthesizers
        sizes = np.bincount(synthesizer.strata.numbers).tolist()
    else:
        parts = (synthesizer,)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "plan": json.loads(empty_plan(plan, 1).to_json()),
        "k": plan.k,
        "sizes": sizes,
        "models": [[_write_step(step) for step in part.steps] for part in parts],
    }
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def from_json(text: str) -> AnySynthesizer:
    """Read a portable synthesizer; safe for files of unknown origin.

    Parameters
    ----------
    text : str
        From `to_json`.

    Returns
    -------
    Synthesizer or StratifiedSynthesizer
    """
    try:
        return _read(json.loads(text, parse_constant=_refuse_constant))
    except StorageError:
        raise
    except (SynthError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise StorageError(
            "the file is no portable synthesizer of this version, or damaged: export the synthesizer "
            "anew"
        ) from None


def save_portable(synthesizer: AnySynthesizer, path: Path | str) -> None:
    """Write a portable synthesizer to a file that everyone may read; see `to_json`."""
    text = to_json(synthesizer).encode()
    with readable_errors("write", path):
        write_atomically(Path(path), lambda file: file.write(text), SHARED_FILE)


def load_portable(path: Path | str) -> AnySynthesizer:
    """Read a portable synthesizer from a file; see `from_json`."""
    with readable_errors("read", path):
        content = Path(path).read_bytes()
    try:
        return from_json(content.decode())
    except UnicodeDecodeError:
        raise StorageError(f"'{Path(path).name}' is no text: name another file") from None


def _write_step(step: SynthesisStep) -> dict[str, Any]:
    if step.fitted is None or not isinstance(step.fitted.columns, PlainColumns):
        raise PlanError("only a portable synthesizer can be written: use make_portable first")
    return {
        "name": step.name,
        "predictors": list(step.predictors),
        "columns": to_record(step.fitted.columns),
        "model": to_record(step.fitted.model),
    }


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _read(document: Any) -> AnySynthesizer:
    require(isinstance(document, dict) and document.get("format") == FORMAT, "not the format")
    if document.get("version") != VERSION:
        raise StorageError(
            f"the file is not of version {VERSION} of the format: use the version of prefect-synth "
            "that wrote it"
        )
    require(set(document) == KEYS, "other entries")
    k, sizes, models = document["k"], document["sizes"], document["models"]
    require(type(k) is int and 1 <= k <= MAX_ROWS, "a wrong number of rows")
    require(isinstance(models, list), "models are missing")
    plan = _read_plan(document["plan"], k)
    require((sizes is None) == (not plan.strata), "a wrong number of strata")
    if sizes is None:
        require(len(models) == 1, "too many models")
        return Synthesizer(plan, no_cells(plan), _read_steps(models[0], plan))
    require(isinstance(sizes, list) and 0 < len(sizes) == len(models), "a wrong number of strata")
    require(all(type(n) is int and n > 0 for n in sizes), "a wrong size of a stratum")
    require(sum(sizes) <= MAX_STRATA_UNITS, "a wrong size of a stratum")
    part = replace(plan, strata=())
    parts = tuple(Synthesizer(part, no_cells(part), _read_steps(m, part)) for m in models)
    return StratifiedSynthesizer(plan, no_cells(plan), sized_strata(np.array(sizes)), parts)


def _read_plan(item: Any, k: int) -> ImputationPlan:
    require(isinstance(item, dict) and item.get("n_rows") == 1, "a plan with rows")
    plan = ImputationPlan.from_json(json.dumps(item))
    hints = field_types(ImputationPlan)
    require(all(fits(getattr(plan, name), hint) for name, hint in hints.items()), "a wrong plan")
    names = plan.schema.names
    require(0 < len(names) == len(set(names)), "wrong names")
    require(
        set(plan.methods) <= set(names) and set(plan.visit_sequence) <= set(names), "wrong names"
    )
    require(plan.conditioning == "synthetic" and not plan.formulas, "a plan that is not portable")
    plan = replace(empty_plan(plan, k), k=k)
    # Formulas and rules are read here, so that a wrong one is told now.
    plan.passive.ready(())
    require(set(plan.post_expressions) | set(plan.ruled.conditions) <= set(names), "wrong names")
    return plan


def _read_steps(items: Any, plan: ImputationPlan) -> tuple[SynthesisStep, ...]:
    require(isinstance(items, list), "models are missing")
    steps: list[SynthesisStep] = []
    done: list[str] = []
    for item in items:
        require(isinstance(item, dict) and set(item) == STEP_KEYS, "a wrong step")
        known = {*done, *plan.passive.ready(done)}
        steps.append(_read_step(item, plan, known))
        done.append(steps[-1].name)
    drawn = {v.name for v in plan.schema} - set(plan.passive.order)
    require(len(done) == len(drawn) and set(done) == drawn, "a variable without a model")
    return tuple(steps)


def _read_step(item: dict[str, Any], plan: ImputationPlan, known: set[str]) -> SynthesisStep:
    name, predictors = item["name"], item["predictors"]
    require(name in plan.schema.names and name in plan.methods, "an unknown variable")
    require(isinstance(predictors, list) and set(predictors) <= known, "an unknown predictor")
    require(plan.ruled.reads(name) <= known, "a rule that reads what is drawn later")
    columns = from_record(item["columns"], PlainColumns)
    variables = tuple(plan.schema[p] for p in predictors)
    positions = tuple(plan.schema.position(p) for p in predictors)
    require((columns.positions, columns.variables) == (positions, variables), "wrong columns")
    require(len(columns.fillers) == len(variables), "wrong columns")
    require(bool(np.isfinite(columns.fillers).all()), "wrong columns")
    model = from_record(item["model"], Fitted)
    check_model(model, Place(plan.schema[name], columns.described))
    return SynthesisStep(name, tuple(predictors), FittedVariable(name, columns, model))
