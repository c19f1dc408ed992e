"""What is promised about crashes, confidentiality and sameness, measured.

Run ``python -m tests.security`` for the whole table, or name some scenarios; ``--quick`` does each of
them a few times only. Each row is printed as soon as it is known. Exit code: 0 if all is zero.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.security import crashes, leaks, sameness, workers
from tests.security.tally import Lab, Tally

HEAD = "| scenario | times run | data lost | values leaked | bytes different |\n|---|---|---|---|---|\n"
Scenario = Callable[[Lab], Tally]
# In words, in full and in a few minutes.
SCENARIOS: dict[str, tuple[str, Scenario, Scenario]] = {
    "kills": (
        "kill -9 of the run at random moments",
        crashes.random_kills,
        partial(crashes.random_kills, times=3),
    ),
    "boundaries": (
        "kill -9 before and after every stage and every step of publishing",
        *[crashes.boundary_kills] * 2,
    ),
    "pool": (
        "kill -9 of a process of the pool",
        crashes.pool_worker_kills,
        partial(crashes.pool_worker_kills, shares=[0.4]),
    ),
    "worker": (
        "kill -9 of a Prefect worker, of its run, of both",
        *[workers.worker_kills] * 2,
    ),
    "worker-kills": (
        "kill -9 of a Prefect worker, of its run, of both, at random moments",
        workers.worker_random_kills,
        partial(workers.worker_random_kills, times=2),
    ),
    "worker-stages": (
        "kill -9 of a Prefect worker with its run, after every stage",
        workers.worker_kills_at_stages,
        partial(workers.worker_kills_at_stages, most=2),
    ),
    "cancel": ("run of a worker cancelled in Prefect", *[workers.worker_cancellation] * 2),
    "signals": (
        "run interrupted (SIGINT) or terminated (SIGTERM)",
        crashes.cancellations,
        partial(crashes.cancellations, shares=[0.6]),
    ),
    "hang": ("time-out of a run that hangs in native code", *[crashes.native_hang] * 2),
    "hang-worker": ("the same, started by a worker", *[workers.worker_time_out] * 2),
    "full": (
        "disk of workspace or releases full",
        crashes.full_disks,
        partial(crashes.full_disks, shares=[0.5]),
    ),
    "read-only": (
        "workspace or releases not writable, at once or in mid-run",
        *[crashes.read_only] * 2,
    ),
    "clock": ("clock set days back and forth", *[crashes.clock_jumps] * 2),
    "two": (
        "two runs of one release at once",
        crashes.two_at_once,
        partial(crashes.two_at_once, times=1),
    ),
    "canary": (
        "canary: drafted, looked at, published, in parts, by processes, reproduced, refused, rejected, "
        "approved, crashed, not readable, bad formula, study, frontier",
        leaks.canary,
        partial(leaks.canary, times=1),
    ),
    "workers": (
        "threads, processes, Dask; 1, 2, 4 workers; hash seeds; native threads",
        sameness.workers,
        partial(sameness.workers, variants=sameness.WHO[1:3]),
    ),
    "chunks": (
        "study and frontier in chunks of other sizes",
        sameness.chunks,
        partial(sameness.chunks, flows=["study"]),
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Run scenarios and print the table."""
    options = _parse(arguments)
    chosen = options.scenarios or list(SCENARIOS)
    failed = []
    with tempfile.TemporaryDirectory(
        prefix="prefect-synth-security-", dir=options.folder
    ) as folder:
        lab = Lab(Path(folder))
        sys.stdout.write(HEAD)
        for name in chosen:
            words, full, quick = SCENARIOS[name]
            started = time.monotonic()
            try:
                tally = (quick if options.quick else full)(lab)
            except Exception:
                traceback.print_exc()
                tally = Tally(note="did not end as it should")
            if not tally.clean:
                failed.append(name)
            sys.stdout.write(_row(words, tally))
            sys.stdout.flush()
            sys.stderr.write(f"{name}: {time.monotonic() - started:.0f} s\n")
    if failed:
        sys.stderr.write(f"error: not clean: {', '.join(failed)}\n")
    return 1 if failed else 0


def _row(words: str, tally: Tally) -> str:
    counts = [tally.times, tally.lost, tally.leaked, tally.different]
    note = f" ({tally.note.strip()})" if tally.note else ""
    return f"| {words}{note} | {' | '.join(map(str, counts))} |\n"


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.security", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--quick", action="store_true", help="a few times each")
    parser.add_argument("--folder", help="where to work (default: the folder for temporary files)")
    options = parser.parse_args(arguments)
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(SCENARIOS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
