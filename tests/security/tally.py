"""What scenarios have done, and what came of it."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.security.releasing import Place, count_differences, prefect_server


@dataclass
class Tally:
    """One row of the table; every number is counted by a run.

    Parameters
    ----------
    times : int
        How often it was done.
    lost : int
        See `Place.count_losses`.
    leaked : int
        Pairs of a file and a marker in it.
    different : int
        Files of a release, or of other results, that are not those of an undisturbed run.
    note : str
        Why it was not done, or what else was seen.
    """

    times: int = 0
    lost: int = 0
    leaked: int = 0
    different: int = 0
    note: str = ""

    @property
    def clean(self) -> bool:
        """Whether it was done and nothing was wrong."""
        return self.times > 0 and not (self.lost or self.leaked or self.different)

    def look(self, place: Place) -> None:
        """Count what was lost after one more disturbance."""
        self.times += 1
        self.lost += place.count_losses()

    def settle(self, place: Place, undisturbed: dict[str, bytes]) -> None:
        """Run the release to its end, and compare it and search everything."""
        place.finish()
        self.lost += place.count_losses() + (len(place.versions()) != 1)
        self.different += count_differences(place.files(), undisturbed)
        self.leaked += count_leaks(place)


def count_leaks(place: Place, folder: Path | None = None) -> int:
    """Return the number of markers found, file by file; in another folder if one is given."""
    return sum(map(len, place.leaks(folder).values()))


class Lab:
    """Where scenarios are run, and what an undisturbed release of the same data looks like.

    Parameters
    ----------
    folder : Path
        For all places.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._numbers = folder, itertools.count(1)

    def place(self, **changes: Any) -> Place:
        """Make a place of its own; changes are sections of the specification."""
        return Place.of_markers(self.folder / f"place-{next(self._numbers)}", **changes)

    @cached_property
    def _reference(self) -> tuple[Place, float]:
        place = self.place()
        started = time.monotonic()
        place.finish()
        return place, time.monotonic() - started

    @cached_property
    def undisturbed(self) -> dict[str, bytes]:
        """Content of the release."""
        return self._reference[0].files()

    @property
    def seconds(self) -> float:
        """Time that it takes."""
        return self._reference[1]

    @property
    def n_stages(self) -> int:
        """Number of stages that it has."""
        return self._reference[0].n_stages()

    @cached_property
    def seconds_served(self) -> float:
        """Time that it takes on a server that is there already."""
        place = self.place()
        with prefect_server(place.folder / "prefect") as address:
            place.environment["PREFECT_API_URL"] = address
            started = time.monotonic()
            place.finish()
            return time.monotonic() - started

    def size_of(self, what: str) -> int:
        """Return how many bytes a folder of the undisturbed place takes."""
        files = (p for p in (self._reference[0].folder / what).rglob("*") if p.is_file())
        return sum(p.lstat().st_size for p in files)
