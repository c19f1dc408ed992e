"""Sets in parts: a folder of Parquet files for each set, and one CSV file, written part by part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pandas as pd

from synth_tasks.files import make_folder, write_atomically
from synth_tasks.release.bundle import PUBLIC_FILE, PUBLIC_FOLDER
from synth_tasks.release.formats.plain import write_parquet


@dataclass(frozen=True)
class PartedSet:
    """A set whose parts are made one at a time, when they are asked for.

    Parameters
    ----------
    count : int
        Number of parts.
    make : callable
        Takes the number of a part, 0, 1, ..., and returns its rows.
    """

    count: int
    make: Callable[[int], pd.DataFrame]


def write_parted(
    folder: Path, name: str, sets: Sequence[PartedSet], formats: Sequence[str]
) -> list[str | list[str]]:
    """Write every set in parts.

    Parameters
    ----------
    folder : Path
        Folder of the release.
    name : str
        Name of the data set.
    sets : sequence of PartedSet
        The synthetic sets; one part is in memory at a time.
    formats : sequence of {"parquet", "csv"}
        What to write.

    Returns
    -------
    list of str, or list of str
        Paths relative to `folder`; the Parquet files of a set in a list.
    """
    make_folder(folder / "data", PUBLIC_FOLDER)
    written: list[str | list[str]] = []
    for number, one in enumerate(sets, start=1):
        stem = f"data/{name}-{number:0{len(str(len(sets)))}d}"
        if "parquet" in formats:
            written.append(_write_parquet(folder, stem, one))
        if "csv" in formats:
            written.append(_write_csv(folder, f"{stem}.csv", one))
    return written


def _write_parquet(folder: Path, stem: str, one: PartedSet) -> list[str]:
    make_folder(folder / stem, PUBLIC_FOLDER)
    digits = len(str(one.count))
    names = [f"{stem}/part-{i + 1:0{digits}d}.parquet" for i in range(one.count)]
    for i, name in enumerate(names):
        write_parquet(one.make(i), folder / name)
    return names


def _write_csv(folder: Path, name: str, one: PartedSet) -> str:
    def write(file: IO[bytes]) -> None:
        for i in range(one.count):
            text = one.make(i).to_csv(index=False, header=i == 0, lineterminator="\n")
            file.write(text.encode())

    write_atomically(folder / name, write, mode=PUBLIC_FILE)
    return name
