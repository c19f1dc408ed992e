"""References in R, for those who have it."""

from __future__ import annotations

import resource
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

SCRIPT = Path(__file__).with_name("reference.R")
PACKAGE_MISSING = 3


def seconds_in_r(package: str, frame: pd.DataFrame, m: int, minbucket: int, folder: Path) -> float:
    """Return what a package takes for m sets; skip the benchmark where it is not installed."""
    found = run_in_r(package, frame, m, minbucket, folder)
    if found is None:
        pytest.skip(f"no Rscript, or no R package {package}")
    return found["elapsed"]


def run_in_r(
    package: str, frame: pd.DataFrame, m: int, minbucket: int, folder: Path
) -> dict[str, float] | None:
    """Return elapsed and processor seconds and GB of a package; None if it is not installed."""
    if shutil.which("Rscript") is None:
        return None
    file = folder / "data.csv"
    frame.to_csv(file, index=False)
    done = subprocess.run(
        ["Rscript", str(SCRIPT), package, str(file), str(m), str(minbucket)],
        capture_output=True,
        text=True,
    )
    if done.returncode == PACKAGE_MISSING:
        return None
    done.check_returncode()
    elapsed, processor = map(float, done.stdout.split())
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    return {"elapsed": elapsed, "processor": processor, "peak_gb": peak}
