"""Reading a specification from YAML, hostile YAML too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from synth_tasks.errors import SpecError
from synth_tasks.files import read_limited
from synth_tasks.release.spec import ReleaseSpec, build_spec

MAX_SPEC_BYTES = 1_000_000
MAX_BRACKETS = 500
BRACKETS = re.compile(r"[\[\]{}]")


def read_spec(path: str | Path) -> ReleaseSpec:
    """Read a specification from a YAML file.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    ReleaseSpec

    Raises
    ------
    SpecError
        If the file cannot be read or says something that the model does not allow.
    """
    file = Path(path)
    try:
        content = read_limited(file, MAX_SPEC_BYTES + 1)
        if len(content) > MAX_SPEC_BYTES:
            raise SpecError(
                f"{path}: larger than {MAX_SPEC_BYTES} bytes: this is not a release spec"
            )
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise SpecError(f"cannot read the release spec {path}: {reason}") from None
    return parse_spec(text, base=file.resolve().parent, origin=str(path))


def parse_spec(text: str, base: Path, origin: str = "release spec") -> ReleaseSpec:
    """Read a specification from YAML text; see `read_spec`."""
    _refuse_deep(text, origin)
    if "&" in text and any(isinstance(t, yaml.AliasToken) for t in _scan(text, origin)):
        raise SpecError(f"{origin}: YAML aliases (*name) are not allowed: write the value out")
    try:
        content = yaml.load(text, Loader=_StrictLoader)  # noqa: S506  (a SafeLoader)
    except (
        # What the constructors of explicit tags raise for texts that they do not expect.
        *(
            yaml.YAMLError,
            RecursionError,
            ValueError,
            KeyError,
            AttributeError,
            IndexError,
            TypeError,
        ),
    ) as error:
        twice = "a key is written twice" if getattr(error, "problem", "") == "key twice" else None
        problem = twice or "not valid YAML"
        raise SpecError(f"{origin}: {problem}{_position(error)}") from None
    if not isinstance(content, dict):
        raise SpecError(f"{origin}: expected keys such as dataset, synthesis, publish")
    if "base" in content:
        raise SpecError(f"{origin}: base: unknown key")
    return build_spec(content, base, origin)


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is written twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "key twice", node.start_mark)
        return mapping


def _refuse_deep(text: str, origin: str) -> None:
    """Refuse towers of brackets, for which the scanner of YAML takes time by the square."""
    depth = 0
    for sign in BRACKETS.findall(text):
        depth += 1 if sign in "[{" else -1
        if depth > MAX_BRACKETS:
            raise SpecError(f"{origin}: more than {MAX_BRACKETS} open brackets: simplify it")


def _scan(text: str, origin: str) -> list[yaml.Token]:
    try:
        return list(yaml.scan(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise SpecError(f"{origin}: not valid YAML{_position(error)}") from None


def _position(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
