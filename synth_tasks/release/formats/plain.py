"""CSV and Parquet."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synth_tasks.files import write_atomically
from synth_tasks.release.bundle import PUBLIC_FILE, write_public


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a set as Parquet, with its types."""
    write_atomically(path, lambda file: frame.to_parquet(file, index=False), mode=PUBLIC_FILE)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a set as CSV; missing values are empty."""
    write_public(path, frame.to_csv(index=False, lineterminator="\n"))
