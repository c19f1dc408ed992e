"""Saying what is wrong with a specification in words that help to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from synth_tasks.data.closest import did_you_mean


def explain_mistake(
    root: type[BaseModel], mistake: ErrorDetails, hidden: Sequence[str] = ()
) -> str:
    """Put a mistake that pydantic has found in one line.

    Parameters
    ----------
    root : type of BaseModel
        The whole specification.
    mistake : dict
        One of the errors of pydantic.
    hidden : sequence of str
        Keys of `root` that are not for users.

    Returns
    -------
    str
        Where it is, what it is, and for an unknown key which one was meant.
    """
    location = mistake["loc"]
    where = ".".join(str(part) for part in location) or "the file"
    message = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"] == "extra_forbidden":
        message = _unknown_key(root, location, hidden)
    return f"{where}: {message[0].lower()}{message[1:]}"


def _unknown_key(root: type[BaseModel], location: Sequence[Any], hidden: Sequence[str]) -> str:
    key = str(location[-1])
    there = [name for name in _keys(_annotation_at(root, location[:-1])) if name not in hidden]
    homes = [
        section
        for section, field in root.model_fields.items()
        if key in _keys(field.annotation) and section not in location
    ]
    if homes:
        return f"unknown key here, it belongs to {' or '.join(homes)}"
    if meant := did_you_mean(key, there):
        return f"unknown key, {meant}"
    return f"unknown key; known are {', '.join(there)}" if there else "unknown key"


def _annotation_at(root: type[BaseModel], location: Sequence[Any]) -> Any:
    """Follow a location of pydantic through models, lists and mappings."""
    annotation: Any = root
    for part in location:
        model = _model_in(annotation)
        if model is None:
            return None
        is_element = _is_collection(annotation)
        annotation = get_args(annotation)[-1] if is_element else _field(model, part)
    return annotation


def _is_collection(annotation: Any) -> bool:
    return get_origin(annotation) in (list, dict)


def _field(model: type[BaseModel], key: Any) -> Any:
    found = (f.annotation for name, f in model.model_fields.items() if key in (name, f.alias))
    return next(found, None)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation stands for, be it optional or an element."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, Annotated, list, dict):
        return next((m for part in get_args(annotation) if (m := _model_in(part))), None)
    return None


def _keys(annotation: Any) -> list[str]:
    """Return the keys that may be written where an annotation stands."""
    model = None if _is_collection(annotation) else _model_in(annotation)
    return [] if model is None else [f.alias or name for name, f in model.model_fields.items()]
