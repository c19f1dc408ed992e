"""Scenarios in which other workers do the same work; the bytes must not show it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.security.releasing import count_differences
from tests.security.tally import Lab, Tally, count_leaks

Variant = tuple[dict[str, Any], dict[str, str]]
WHO: tuple[Variant, ...] = (
    ({"workers": 1}, {"PYTHONHASHSEED": "0"}),
    ({"workers": 4}, {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"}),
    ({"workers": 1, "runner": "processes", "executor": "processes"}, {"PYTHONHASHSEED": "11"}),
    ({"workers": 2, "runner": "processes"}, {"OMP_NUM_THREADS": "4", "MKL_NUM_THREADS": "4"}),
    ({"workers": 4, "runner": "processes"}, {"PYTHONHASHSEED": "12345"}),
    ({"workers": 1, "runner": "dask"}, {}),
    ({"workers": 2, "runner": "dask"}, {"PYTHONHASHSEED": "3", "OMP_NUM_THREADS": "4"}),
    ({"workers": 4, "runner": "dask"}, {"OPENBLAS_NUM_THREADS": "4"}),
)
# Chunks are cut by workers and runner: 24 replicates make chunks of 6, 2 or 3.
CHUNKS: tuple[dict[str, Any], ...] = (
    {"workers": 1},
    {"workers": 3},
    {"workers": 2, "runner": "processes"},
)


def workers(lab: Lab, variants: Sequence[Variant] = WHO) -> Tally:
    """Release with other runners, workers, hash seeds and native threads."""
    tally = Tally()
    for run, environment in variants:
        place = lab.place(run=run)
        place.environment |= environment
        place.finish()
        tally.look(place)
        tally.different += count_differences(place.files(), lab.undisturbed)
        tally.leaked += count_leaks(place)
    return tally


def chunks(lab: Lab, flows: Sequence[str] = ("study", "frontier")) -> Tally:
    """Study and compare settings in chunks of other sizes, by other runners."""
    tally = Tally()
    for flow in flows:
        found: list[dict[str, bytes]] = []
        for run in CHUNKS:
            place = lab.place(run=run, study={"replicates": 24})
            code, output = place.run([f"flows.{flow}"])
            assert code == 0, output
            tally.look(place)
            found.append(_results(place.out))
            # Results tell figures of the real data, and are where the run was told to put them.
            shutil.rmtree(place.out)
            tally.leaked += count_leaks(place)
        tally.different += sum(count_differences(each, found[0]) for each in found[1:])
    return tally


def _results(folder: Path) -> dict[str, bytes]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}
