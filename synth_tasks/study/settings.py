"""The settings of a synthesis that are compared with each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from synth_tasks.errors import SpecError, SynthError
from synth_tasks.release.sections import SynthesisSpec
from synth_tasks.release.spec import ReleaseSpec, build_spec


@dataclass(frozen=True)
class Setting:
    """One combination of a grid.

    Parameters
    ----------
    number : int
        From 1, in the order of the grid.
    values : mapping of str to object
        What differs from the specification.
    """

    number: int
    values: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The values in one line."""
        return ", ".join(f"{name} {_say(value)}" for name, value in self.values.items())


def _say(value: Any) -> str:
    if value is None:
        return "none"
    return " ".join(value) if isinstance(value, list) else str(value)


def list_settings(spec: ReleaseSpec) -> list[Setting]:
    """Return all combinations of `frontier.grid`, the last key varying fastest."""
    names = list(spec.frontier.grid)
    combinations = product(*spec.frontier.grid.values())
    return [
        Setting(number, dict(zip(names, values, strict=True)))
        for number, values in enumerate(combinations, start=1)
    ]


def apply_setting(spec: ReleaseSpec, setting: Setting) -> ReleaseSpec:
    """Return the specification with the values of a setting.

    Parameters
    ----------
    spec : ReleaseSpec
        The specification.
    setting : Setting
        A name that is no key of ``synthesis`` is an option of ``synthesis.method``.

    Returns
    -------
    ReleaseSpec

    Raises
    ------
    SpecError
        If a value is not allowed.
    """
    content = spec.model_dump(mode="json")
    synthesis, base = content["synthesis"], content.pop("base")
    keys = {name: value for name, value in setting.values.items() if name in _KEYS}
    synthesis |= keys
    options = {name: value for name, value in setting.values.items() if name not in _KEYS}
    if options:
        own = synthesis["options"].get(synthesis["method"], {})
        synthesis["options"] = {**synthesis["options"], synthesis["method"]: own | options}
    try:
        return build_spec(content, Path(base), "frontier.grid")
    except SynthError as error:
        raise SpecError(f"{error} ({setting.label})") from None


_KEYS = frozenset(SynthesisSpec.model_fields) - {"options"}
