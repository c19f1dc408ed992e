"""Guessing the order of categories from their names."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_NUMBERED = 20
NUMBERED = re.compile(r"(?P<before>[^\d]*)(?P<number>\d+(?:\.\d+)?)(?P<after>.*)")
BELOW = ("<", "≤", "under ", "below ", "less than ", "up to ")
ABOVE = (">", "≥", "over ", "above ", "more than ", "")
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
SCALES = (
    ROMAN,
    ("none", "very low", "low", "lower", "mid", "middle", "medium", "moderate",
     "high", "higher", "very high"),
    ("never", "rarely", "seldom", "sometimes", "often", "usually", "always"),
    ("very bad", "bad", "very poor", "poor", "fair", "good", "very good", "excellent"),
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
    ("none", "minimal", "mild", "moderate", "severe", "very severe"),
    ("xs", "s", "m", "l", "xl", "xxl"),
    ("small", "medium", "large"),
    ("none", "primary", "lower secondary", "secondary", "upper secondary", "tertiary"),
    ("first", "second", "third", "fourth", "fifth"),
)  # fmt: skip


def guess_order(labels: Sequence[object]) -> list[str] | None:
    """Return categories in the order that their names tell, or None if they tell none.

    Parameters
    ----------
    labels : sequence
        Three categories or more; with fewer there is no order to guess, and numbers of more than 20 are
        rather names of places and things.

    Returns
    -------
    list of str or None
        For ``G1, G2, G3``, ``<18, 18-64, 65+``, ``I, II, III`` and common scales of words.
    """
    texts = [label for label in labels if isinstance(label, str)]
    if len(texts) < 3 or len(texts) < len(labels):
        return None
    for scale in SCALES:
        if {text.casefold() for text in texts} <= {*scale}:
            return sorted(texts, key=lambda text: scale.index(text.casefold()))
    return _by_number(texts)


def _by_number(texts: list[str]) -> list[str] | None:
    if len(texts) > MOST_NUMBERED:
        return None
    found = [match for text in texts if (match := NUMBERED.fullmatch(text.strip()))]
    if len(found) < len(texts):
        return None
    prefixes = {match["before"].casefold() for match in found}
    ranges = prefixes <= {*BELOW, *ABOVE}
    if len(prefixes) > 1 and not ranges:
        return None
    keys = [_rank(match, ranges) for match in found]
    if len(set(keys)) < len(keys):
        return None
    return [text for _, text in sorted(zip(keys, texts, strict=True))]


def _rank(match: re.Match[str], is_range: bool) -> tuple[float, int]:
    below = is_range and match["before"].casefold() in BELOW
    above = is_range and match["before"].casefold() in ABOVE[:-1]
    return float(match["number"]), -1 if below else 1 if above else 0
