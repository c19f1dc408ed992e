"""References in R, for those who have it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

SCRIPT = Path(__file__).with_name("reference.R")
PACKAGE_MISSING = 3


def seconds_in_r(package: str, frame: pd.DataFrame, m: int, minbucket: int, folder: Path) -> float:
    """Return what a package takes for m sets; skip the benchmark where it is not installed."""
    if shutil.which("Rscript") is None:
        pytest.skip("no Rscript")
    file = folder / "data.csv"
    frame.to_csv(file, index=False)
    done = subprocess.run(
        ["Rscript", str(SCRIPT), package, str(file), str(m), str(minbucket)],
        capture_output=True,
        text=True,
    )
    if done.returncode == PACKAGE_MISSING:
        pytest.skip(f"no R package {package}")
    done.check_returncode()
    return float(done.stdout)
