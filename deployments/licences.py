"""Which licences a dependency may have.

All let the program be used and passed on beside it. Those with a weak copyleft (MPL, LGPL) oblige
whoever changes the dependency itself, not its users.
"""

from __future__ import annotations

import re

ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "Artistic-1.0-Perl", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0",
        "CNRI-Python", "ISC", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0", "MIT-CMU",
        "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "ZPL-2.1", "Zlib",
    }
)  # fmt: skip
EXCEPTIONS = frozenset({"LLVM-exception"})
TOKENS = re.compile(r"\(|\)|[^\s()]+")


def is_allowed(expression: str) -> bool:
    """Tell whether a licence may be used, given as an SPDX expression.

    Of alternatives (OR) one must be allowed, of what holds together (AND) all. What is no expression is
    not allowed.

    References
    ----------
    The Software Package Data Exchange (SPDX) specification, version 2.3, annex D.
    """
    tokens = TOKENS.findall(expression)
    try:
        verdict = _alternatives(tokens)
    except IndexError:
        return False
    return verdict and not tokens


def _alternatives(tokens: list[str]) -> bool:
    verdict = _together(tokens)
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        other = _together(tokens)
        verdict = verdict or other
    return verdict


def _together(tokens: list[str]) -> bool:
    verdict = _single(tokens)
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        other = _single(tokens)
        verdict = verdict and other
    return verdict


def _single(tokens: list[str]) -> bool:
    sign = tokens.pop(0)
    if sign == "(":
        verdict = _alternatives(tokens)
        return tokens.pop(0) == ")" and verdict
    verdict = sign in ALLOWED
    if tokens and tokens[0] == "WITH":
        tokens.pop(0)
        verdict = tokens.pop(0) in EXCEPTIONS and verdict
    return verdict
