"""Ingest two tables one after the other, and print by how many megabytes the second raised the peak."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from synth_tasks.release.spec import build_spec
from synth_tasks.tasks.context import prepare
from synth_tasks.tasks.part_ingest import ingest_parts


def peak_after(folder: Path, name: str) -> float:
    content = {
        "dataset": {"name": name, "source": {"parquet": f"{name}.parquet"}, "public": True},
        "synthesis": {"strata": ["region"]},
        "publish": {"seed": 1},
        "partition": {},
    }
    ingest_parts.fn(prepare(build_spec(content, folder), str(folder / "releases")), 20_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main(folder: Path) -> None:
    before = peak_after(folder, "small")
    print(peak_after(folder, "large") - before)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
