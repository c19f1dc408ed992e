"""Data whose cells are markers, and the search for them in everything that others may see."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.security.decoding import unpack

RARE = "RAREQX81Z"
# In few rows, and not declared: nobody outside knows that it exists.
UNSEEN = "UNSEENQX93Z"
UNSEEN_ROWS = [5, 40, 88, 121]
N_ROWS = 150
DECIMALS = 6
# All stretches of digits that may be a marker, also within longer numbers.
NUMBER = re.compile(rb"(?=(\d{4,6}\.\d{6}))")
# Numbers that are printed shorter, and those that NumPy prints with an exponent.
SHORTER = re.compile(rb"(?<![\d.])\d{4,6}\.\d{1,5}(?!\d)")
EXPONENT = re.compile(rb"(\d\.\d{6,11})[eE]\+?0?(\d)(?!\d)")
LEAST_DIGITS = 7  # fewer may be those of another number by chance


def make_people(seed: int = 5) -> pd.DataFrame:
    """Every number has ten digits that no other cell has and no draw by chance; names are markers."""
    rng = np.random.default_rng(seed)
    income, weight = _numbers(rng, 1000), _numbers(rng, 20_000)
    people = pd.DataFrame(
        {
            "name": [f"NAME{i:04d}ZQ" for i in range(N_ROWS)],
            "income": income,
            "weight": weight,
            "stage": rng.choice(["low", "mid", "high"], N_ROWS),
            "town": rng.choice(["north", "south", "east"], N_ROWS),
        }
    )
    people.loc[[3, 77], "town"] = RARE
    people["quarter"] = rng.choice(["old", "new", "port"], N_ROWS)
    people.loc[UNSEEN_ROWS, "quarter"] = UNSEEN
    people.loc[0, "income"] = 987_654.321_987  # an outlier
    people.loc[rng.choice(N_ROWS, 8, replace=False), "weight"] = np.nan
    return people


def _numbers(rng: np.random.Generator, least: int) -> np.ndarray:
    """Return numbers whose last decimal is no zero, so that all are printed with all digits."""
    units = rng.choice(900_000_000, N_ROWS, replace=False) * 10 + rng.integers(1, 10, N_ROWS)
    return (least * 10**DECIMALS + units) / 10**DECIMALS


def people_content(**changes: Any) -> dict[str, Any]:
    """Return a specification for `make_people`, as it would stand in YAML."""
    content: dict[str, Any] = {
        "dataset": {"name": "people", "source": {"csv": "people.csv"}, "drop": ["name"]},
        "variables": {
            "stage": {"kind": "ordinal", "categories": ["low", "mid", "high"]},
            "town": {"kind": "nominal", "categories": ["north", "south", "east", RARE]},
            "income": {"decimals": DECIMALS},
            "weight": {"decimals": DECIMALS},
        },
        "imputation": {"maxit": 2},
        "synthesis": {"m": 2, "smoothing": "spline", "options": {"cart": {"minbucket": 20}}},
        "sdc": [{"step": "merge_rare_levels", "columns": ["town", "quarter"], "k": 5}],
        "analysis": [{"model": "ols", "formula": "weight ~ income"}],
        "disclosure": {"keys": ["income", "town"], "targets": ["stage"], "cross_fit": False},
        "policy": {"suite": "passes.json"},
        "study": {"replicates": 3},
        "frontier": {"grid": {"minbucket": [10, 20]}, "replicates": 20},
    }
    return content | changes


@dataclass(frozen=True)
class Markers:
    """What must not be found.

    Parameters
    ----------
    numbers : frozenset of bytes
        As they are printed.
    texts : tuple of bytes
        Names of persons, and the names of the rare levels.
    shorter : frozenset of bytes
        Numbers as they are printed with fewer decimals, rounded or cut off.
    exponents : frozenset of (bytes, bytes)
        Digits and exponent of numbers that are printed with one.
    binaries : ndarray
        Numbers as they lie in memory, Parquet and SQLite.
    """

    numbers: frozenset[bytes]
    texts: tuple[bytes, ...]
    shorter: frozenset[bytes] = field(repr=False)
    exponents: frozenset[tuple[bytes, bytes]] = field(repr=False)
    binaries: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, people: pd.DataFrame) -> Markers:
        """Take every number and every name for a marker."""
        numbers = pd.concat([people["income"], people["weight"]]).dropna()
        shown = (f"{value:.{DECIMALS}f}".encode() for value in numbers)
        texts = tuple(text.encode() for text in (*people["name"], RARE, UNSEEN))
        return cls(
            frozenset(shown),
            texts,
            frozenset(short for value in numbers for short in _shortened(value)),
            frozenset(power for value in numbers for power in _with_exponent(value)),
            np.sort(numbers.to_numpy(float)),
        )

    def found_in(self, content: bytes) -> list[bytes]:
        """Return the markers in some bytes, whether printed, in memory or packed."""
        found = (marker for form in unpack(content) for marker in self._in_plain(form))
        return list(dict.fromkeys(found))

    def _in_plain(self, content: bytes) -> list[bytes]:
        """Return the markers in bytes that are packed no more."""
        printed = sorted(self.numbers & set(NUMBER.findall(content)))
        printed += sorted(self.shorter & set(SHORTER.findall(content)))
        powers = {(digits.rstrip(b"0"), e) for digits, e in EXPONENT.findall(content)}
        printed += [b"%se%s" % power for power in sorted(self.exponents & powers)]
        return [*printed, *(text for text in self.texts if text in content), *self._stored(content)]

    def _stored(self, content: bytes) -> list[bytes]:
        found = []
        for offset in range(8):
            size = (len(content) - offset) // 8
            for order in ("<f8", ">f8"):
                values = np.frombuffer(content, order, max(size, 0), offset) if size > 0 else []
                found += [struct.pack("<d", v) for v in np.intersect1d(values, self.binaries)]
        return found


def _shortened(value: float) -> Iterator[bytes]:
    """Print a number with fewer decimals, rounded and cut off."""
    whole = f"{value:.{DECIMALS}f}"
    for decimals in range(1, DECIMALS):
        for text in (f"{value:.{decimals}f}", whole[: decimals - DECIMALS]):
            if len(text) > LEAST_DIGITS:  # with the point
                yield text.encode()


def _with_exponent(value: float) -> Iterator[tuple[bytes, bytes]]:
    """Print a number with an exponent, with all digits and with fewer; zeros at the end left out."""
    for decimals in range(LEAST_DIGITS - 1, 12):
        digits, exponent = f"{value:.{decimals}e}".split("e")
        yield digits.rstrip("0").encode(), str(int(exponent)).encode()


def files_below(folder: Path, private: Path) -> Iterator[Path]:
    """List all files that anybody but the steward may see, but for the source."""
    for path in sorted(folder.rglob("*")):
        seen = path.is_file() and not path.is_symlink() and not path.is_relative_to(private)
        if seen and path.name != "people.csv":
            yield path


def find_leaks(
    folder: Path, private: Path, markers: Markers, output: bytes
) -> dict[str, list[bytes]]:
    """Search all files outside the private workspace, and what was printed.

    The rare level is declared in the specification, which is the steward's own and which Prefect keeps;
    it is looked for in what is released and printed.

    Returns
    -------
    dict
        Markers by file.
    """
    leaks = {"terminal": markers.found_in(output)}
    for path in files_below(folder, private):
        found = markers.found_in(path.read_bytes())
        if "out" not in path.relative_to(folder).parts:
            found = [marker for marker in found if marker != RARE.encode()]
        leaks[str(path.relative_to(folder))] = found
    return {path: found for path, found in leaks.items() if found}
