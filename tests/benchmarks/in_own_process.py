"""Time and peak memory of one synthesis, in a process of its own.

Usage: ``python -m tests.benchmarks.in_own_process ROWS M WORKERS``
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

from synth_tasks import synthesize
from tests.benchmarks.tables import mixed_table


def measure(n_rows: int, m: int, workers: int) -> dict[str, float]:
    """Run this module; return seconds and GB."""
    numbers = [str(n) for n in (n_rows, m, workers)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.in_own_process", *numbers],
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def main(n_rows: int, m: int, workers: int) -> None:
    """Print the figures as JSON."""
    synthesize(mixed_table(1000), m=1, seed=1)  # loads the machine code
    frame = mixed_table(n_rows)
    begin = time.perf_counter()
    synthesize(frame, m=m, seed=1, workers=workers)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"seconds": seconds, "peak_gb": peak}))


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:]))
