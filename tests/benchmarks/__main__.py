"""Run all benchmarks, print a table of ratios and write a plot."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.report import plot_cost, ratio_table, read_figures

FOLDER = Path(__file__).parent


def main() -> int:
    """Return the exit code of pytest."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller tables, in two minutes")
    parser.add_argument("--plot", type=Path, default=Path("benchmarks.png"), help="file to write")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        pytest = [sys.executable, "-m", "pytest", str(FOLDER), "-o", "python_files=bench_*.py"]
        quiet = [
            "-q",
            "-p",
            "no:cacheprovider",
            f"--benchmark-json={file}",
            "--benchmark-disable-gc",
        ]
        environment = os.environ | ({"BENCHMARK_QUICK": "1"} if options.quick else {})
        code = subprocess.run([*pytest, *quiet], env=environment).returncode
        if code:
            return code
        figures = read_figures(json.loads(file.read_text())["benchmarks"])
    print(f"\n{platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
    print(ratio_table(figures))
    plot_cost(figures, options.plot)
    print(f"\nplot: {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
