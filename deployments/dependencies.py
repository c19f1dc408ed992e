"""The distributions that an installation of prefect-synth is made of, and their licences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "prefect-synth"

# What authors write in place of an SPDX identifier, in small letters.
SPDX = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache-2.0 license": "Apache-2.0",
    "artistic license": "Artistic-1.0-Perl",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd-3-clause license": "BSD-3-Clause",
    "gnu general public license (gpl)": "GPL-1.0-or-later",
    "gnu general public license v2 or later (gplv2+)": "GPL-2.0-or-later",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "new bsd license": "BSD-3-Clause",
    "psf": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
}
EXPRESSION = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")


@dataclass(frozen=True, slots=True, order=True)
class Component:
    """An installed distribution.

    Parameters
    ----------
    name : str
        Normalised, as in a package URL.
    version : str
        Installed version.
    licence : str
        SPDX expression, or what stands in its place.
    summary : str
        One line of its author.
    needs : tuple of str
        Names of the installed distributions that it depends on.
    """

    name: str
    version: str
    licence: str
    summary: str
    needs: tuple[str, ...]


def installed_components(root: str = PROJECT) -> list[Component]:
    """Return a distribution and everything installed that it needs, by name.

    Parameters
    ----------
    root : str
        Where to start; all of its extras count as far as they are installed.

    Returns
    -------
    list of Component
        Sorted by name.

    Raises
    ------
    PackageNotFoundError
        If `root` or anything that is not for an extra of it is not installed.
    """
    extras = {root: frozenset(distribution(root).metadata.get_all("Provides-Extra") or ())}
    pending, needs = [root], dict[str, set[str]]()
    while pending:
        name = pending.pop()
        found = set()
        for requirement, optional in _requirements(distribution(name), extras[name]):
            other = canonicalize_name(requirement.name)
            if optional and not _is_installed(other):
                continue
            wanted = extras.get(other, frozenset()) | requirement.extras
            if other != name:
                found.add(other)
            if other not in extras or wanted != extras[other]:
                extras[other] = frozenset(wanted)
                pending.append(other)
        needs.setdefault(name, set()).update(found)
    return sorted(_describe(distribution(name), tuple(sorted(needs[name]))) for name in needs)


def _requirements(
    found: Distribution, extras: frozenset[str]
) -> Iterator[tuple[Requirement, bool]]:
    """Yield what a distribution needs here, and whether that is for an extra only."""
    for text in found.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement, False
        elif any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            yield requirement, True


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _describe(found: Distribution, needs: tuple[str, ...]) -> Component:
    metadata = found.metadata
    return Component(
        canonicalize_name(metadata["Name"]),
        found.version,
        licence_of(found),
        (metadata.get("Summary") or "").strip(),
        needs,
    )


def licence_of(found: Distribution) -> str:
    """Return the licence that the metadata of a distribution state, as SPDX where it is understood.

    An expression counts most, then the field `License` if it is one line, then the classifiers.
    """
    metadata = found.metadata
    if expression := metadata.get("License-Expression"):
        return str(expression).strip()
    stated = (metadata.get("License") or "").strip()
    first = stated.splitlines()[0].strip() if stated else ""
    if first.lower() in SPDX:
        return SPDX[first.lower()]
    if "\n" not in stated and EXPRESSION.fullmatch(first) and first.lower() != "unknown":
        return first
    classifiers = [
        text.rsplit(" :: ", 1)[-1]
        for text in metadata.get_all("Classifier") or ()
        if text.startswith("License :: ") and text != "License :: OSI Approved"
    ]
    named = sorted({SPDX.get(text.lower(), text) for text in classifiers})
    # They do not say which of them may be chosen: all have to be allowed.
    return " AND ".join(named) if named else first or "not stated"
