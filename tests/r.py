"""Running R where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def run_r(code: str, folder: Path, *packages: str) -> str:
    """Run R code in a folder and return what it prints; skip the test without R or a package."""
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed")
    for package in packages:
        check = f'quit(status = !requireNamespace("{package}", quietly = TRUE))'
        if subprocess.run(["Rscript", "-e", check], capture_output=True).returncode:
            pytest.skip(f"R's package {package} is not installed")
    done = subprocess.run(
        ["Rscript", "-e", f"options(digits = 15, width = 200)\n{code}"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
