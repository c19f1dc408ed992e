"""Write a software bill of materials: ``python -m deployments.sbom [--output FILE]``.

It lists what is installed, not what could be, as CycloneDX 1.6 in JSON. Equal installations give equal
bytes: there is no serial number and no time in it.

References
----------
ECMA-424, CycloneDX bill of materials specification, version 1.6.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deployments.dependencies import EXPRESSION, PROJECT, Component, installed_components


def make_sbom(components: Sequence[Component], root: str = PROJECT) -> dict[str, Any]:
    """Describe distributions as a CycloneDX bill of materials.

    Parameters
    ----------
    components : sequence of Component
        From `installed_components`.
    root : str
        Name of the one that the bill is of.

    Returns
    -------
    dict
        JSON-ready.
    """
    refs = {component.name: _ref(component) for component in components}
    (subject,) = [component for component in components if component.name == root]
    others = [component for component in components if component.name != root]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**_component(subject), "type": "application"}},
        "components": [_component(component) for component in others],
        "dependencies": [
            {"ref": refs[c.name], "dependsOn": sorted(refs[name] for name in c.needs)}
            for c in components
        ],
    }


def _component(component: Component) -> dict[str, Any]:
    is_expression = EXPRESSION.fullmatch(component.licence.replace("(", "").replace(")", ""))
    licence: dict[str, Any] = (
        {"expression": component.licence}
        if is_expression
        else {"license": {"name": component.licence}}
    )
    return {
        "type": "library",
        "bom-ref": _ref(component),
        "name": component.name,
        "version": component.version,
        "description": component.summary,
        "licenses": [licence],
        "purl": _ref(component),
    }


def _ref(component: Component) -> str:
    """Return the package URL; a local version holds a sign that must be written otherwise there."""
    return f"pkg:pypi/{component.name}@{component.version.replace('+', '%2B')}"


def main(arguments: list[str] | None = None) -> int:
    """Write the bill of materials of this installation; see ``--help``."""
    parser = argparse.ArgumentParser(
        prog="python -m deployments.sbom",
        description="Write a software bill of materials (CycloneDX JSON) of this installation.",
    )
    parser.add_argument("--output", metavar="FILE", help="file to write (default: the terminal)")
    options = parser.parse_args(arguments)
    content = make_sbom(installed_components())
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if options.output is None:
        sys.stdout.write(text)
    else:
        Path(options.output).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
