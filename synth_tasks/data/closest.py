"""Names that someone who wrote an unknown one may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

LIKENESS = 0.6
MOST_SUGGESTED = 3
MOST_LISTED = 40


def closest_names(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three known names that look like `name`, the most alike first.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    list of str
        Names whose likeness is 0.6 or more, small and capital letters alike; empty if there are none.

    References
    ----------
    Ratcliff & Metzener (1988). Pattern matching: the gestalt approach. Dr. Dobb's Journal 13(7), 46-51;
    as in Python's difflib.
    """
    by_folded: dict[str, list[str]] = {}
    for candidate in known:
        by_folded.setdefault(candidate.casefold(), []).append(candidate)
    found = get_close_matches(name.casefold(), by_folded, MOST_SUGGESTED, LIKENESS)
    return [candidate for folded in found for candidate in by_folded[folded]][:MOST_SUGGESTED]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'age'?`` or an empty text if no known name is like `name`."""
    names = [f"'{candidate}'" for candidate in closest_names(name, known)]
    return f"did you mean {' or '.join(names)}?" if names else ""


def columns_there(name: str, known: Sequence[str]) -> str:
    """Say which columns there are, for an error about one that is not.

    Parameters
    ----------
    name : str
        The unknown column.
    known : sequence of str
        Those of the data.

    Returns
    -------
    str
        ``the data have hgt, wgt`` and the closest ones; of a wide table only the first are listed.
    """
    more = len(known) - MOST_LISTED
    listed = ", ".join(known[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
    meant = did_you_mean(name, known)
    return f"the data have {listed}" + (f": {meant}" if meant else "")
