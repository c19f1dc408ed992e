"""Models as JSON values, and back.

A dataclass becomes an object with its registered name under ``"type"``; an array of numbers
``{"type": "floats", "shape": [...], "values": [...]}``, or ``"integers"``; NaN becomes null. Floating
point numbers are written with as many digits as tell them apart, so that nothing is lost.

Reading builds registered dataclasses only, each with exactly its fields and of the types that it
declares.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from synth_tasks.data import Kind, Variable
from synth_tasks.engine.categories import OneLevel
from synth_tasks.engine.design_matrix import Design
from synth_tasks.engine.linear import LinearModel
from synth_tasks.engine.methods.derived import Derived
from synth_tasks.engine.methods.ipf import Ipf
from synth_tasks.engine.methods.logreg import Logreg
from synth_tasks.engine.methods.mean import Mean
from synth_tasks.engine.methods.norm import Norm
from synth_tasks.engine.methods.norm_nob import NormNob
from synth_tasks.engine.methods.norm_predict import NormPredict
from synth_tasks.engine.methods.polr import Polr
from synth_tasks.engine.parts import Parts, TwoPart
from synth_tasks.engine.portable.models import (
    GroupMargins,
    LinearLogits,
    Margin,
    PortableNormRank,
    Rescaled,
)
from synth_tasks.engine.portable.quantiles import Quantiles
from synth_tasks.engine.portable.shares import Shares
from synth_tasks.engine.portable.tree import PortableTree
from synth_tasks.engine.predictors import PlainColumns
from synth_tasks.engine.redundancy import Linear, Relation, Renamed
from synth_tasks.engine.registry import Fitted
from synth_tasks.engine.tree import Questions
from synth_tasks.errors import PlanError, StorageError
from synth_tasks.inference.ordinal import OrderedLogitFit

MAX_NESTING = 12

_TYPES: dict[str, type] = {
    "variable": Variable,
    "columns": PlainColumns,
    "design": Design,
    "linear model": LinearModel,
    "ordered logit": OrderedLogitFit,
    "quantiles": Quantiles,
    "shares": Shares,
    "parts": Parts,
    "linear relation": Linear,
    "renamed": Renamed,
    "margin": Margin,
    "group margins": GroupMargins,
    "tree": PortableTree,
    "questions": Questions,
    "norm": Norm,
    "norm.nob": NormNob,
    "norm.predict": NormPredict,
    "mean": Mean,
    "normrank": PortableNormRank,
    "rescaled": Rescaled,
    "logreg": Logreg,
    "logits": LinearLogits,
    "polr": Polr,
    "ipf": Ipf,
    "one level": OneLevel,
    "derived": Derived,
    "two parts": TwoPart,
}


def register_type(name: str, kind: type) -> None:
    """Let a dataclass of another package be written and read under a name."""
    _TYPES[name] = kind


def to_record(value: Any) -> Any:
    """Return what stands for a model, or a part of one, in JSON."""
    if isinstance(value, np.ndarray):
        whole = np.issubdtype(value.dtype, np.integer)
        values = value.ravel().tolist()
        return {
            "type": "integers" if whole else "floats",
            "shape": list(value.shape),
            "values": values if whole else [None if math.isnan(v) else v for v in values],
        }
    if isinstance(value, np.generic):
        return to_record(value.item())
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, Kind):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, tuple):
        return [to_record(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_record(item) for key, item in value.items()}
    for name, kind in _TYPES.items():
        if type(value) is kind:
            return {"type": name} | {n: to_record(getattr(value, n)) for n in field_types(kind)}
    raise PlanError(
        f"a {type(value).__name__} cannot be written: use make_portable first, and register the type "
        "of an added method by register_type"
    )


def from_record(record: Any, hint: Any, nesting: int = 0) -> Any:
    """Build what a record stands for.

    Parameters
    ----------
    record : object
        As read from JSON.
    hint : type
        What is expected: a registered dataclass, `Fitted` or another protocol, or the type of a field.
    nesting : int
        Depth of the record in the whole.

    Returns
    -------
    object
        An instance of what the hint says; whether its numbers make sense is for others to check.
    """
    if nesting > MAX_NESTING:
        raise StorageError("the file is nested too deep: export the synthesizer anew")
    if get_origin(hint) in (Union, types.UnionType):
        return _read_alternative(record, get_args(hint), nesting)
    if hint is np.ndarray:
        return _read_array(record)
    if hint is float:
        return _read_float(record)
    if hint in (int, str, bool):
        return record if type(record) is hint else _refuse()
    if hint is type(None):
        return None if record is None else _refuse()
    if hint is Kind:
        return Kind(record) if record in set(map(str, Kind)) else _refuse()
    if get_origin(hint) is tuple and isinstance(record, list):
        return tuple(from_record(item, get_args(hint)[0], nesting + 1) for item in record)
    if get_origin(hint) is dict and isinstance(record, dict):
        return {int(k): from_record(v, get_args(hint)[1], nesting + 1) for k, v in record.items()}
    return _read_object(record, hint, nesting)


def fits(value: Any, hint: Any) -> bool:
    """Tell whether plain values, as those of a plan, are of the type declared."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return value is None or isinstance(value, (bool, int, float, str))
    if origin in (Union, types.UnionType):
        return any(fits(value, alternative) for alternative in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(item, inner[0]) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, dict) and all(
            fits(k, inner[0]) and fits(v, inner[1]) for k, v in value.items()
        )
    if hint is Relation:
        return any(fits(value, kind) for kind in (Linear, Renamed))
    if is_dataclass(hint):
        return type(value) is hint and all(
            fits(getattr(value, n), h) for n, h in field_types(type(value)).items()
        )
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is hint or (hint is np.ndarray and isinstance(value, np.ndarray))


def field_types(kind: type) -> dict[str, Any]:
    """Return the types of the fields of a dataclass."""
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


def _read_alternative(record: Any, hints: tuple[Any, ...], nesting: int) -> Any:
    for hint in hints[:-1]:
        try:
            return from_record(record, hint, nesting)
        except StorageError:
            continue
    return from_record(record, hints[-1], nesting)


def _read_object(record: Any, hint: Any, nesting: int) -> Any:
    kind = _TYPES.get(str(record.get("type"))) if isinstance(record, dict) else None
    if kind is None:
        return _refuse()
    is_model = hint in (Fitted, Relation) and callable(
        getattr(kind, "draw" if hint is Fitted else "apply", None)
    )
    if not is_model and kind is not hint:
        return _refuse()
    hints = field_types(kind)
    if set(record) != {"type", *hints}:
        return _refuse()
    return kind(**{name: from_record(record[name], hints[name], nesting + 1) for name in hints})


def _read_array(record: Any) -> np.ndarray:
    if not isinstance(record, dict) or set(record) != {"type", "shape", "values"}:
        return _refuse()
    shape, values = record["shape"], record["values"]
    if not isinstance(shape, list) or not isinstance(values, list) or not 1 <= len(shape) <= 2:
        return _refuse()
    if not all(type(n) is int and n >= 0 for n in shape) or math.prod(shape) != len(values):
        return _refuse()
    if record["type"] == "integers" and all(type(v) is int and abs(v) < 2**53 for v in values):
        return np.array(values, dtype=int).reshape(shape)
    if record["type"] == "floats":
        return np.array([_read_float(v) for v in values], dtype=float).reshape(shape)
    return _refuse()


def _read_float(record: Any) -> float:
    if record is None:
        return math.nan
    # Comparing first keeps whole numbers too large for a float from raising an error.
    if type(record) not in (int, float) or not abs(record) < 1e300:
        return _refuse()
    return float(record)


def _refuse() -> Any:
    raise StorageError(
        "the file is no portable synthesizer of this version, or damaged: export the synthesizer anew"
    )
