"""The canary: every flow and every way to fail, on data whose cells are markers."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from tests.security.releasing import Place
from tests.security.tally import Lab, Tally, count_leaks

DRIVER = "tests.security.canary"
# Those that differ most, for whoever cannot wait for all.
SHORT = ("publish", "crash", "unread", "look")
LAST = "all scenarios ended as they should"


def sing(folder: Path, seed: int, scenarios: Iterable[str] = ()) -> Place:
    """Run scenarios of the canary, all if none is named, on data of a seed.

    The secrets are drawn in the workspace.
    """
    place = Place.of_markers(folder, seed)
    for name in ("SYNTH_SEED", "SYNTH_KEY"):
        place.environment.pop(name)
    code, output = place.run([DRIVER, str(place.site), *scenarios])
    assert code == 0, output[-3000:]
    assert LAST in output, output[-3000:]
    return place


def canary(lab: Lab, times: int = 10, seeds: Iterable[int] = ()) -> Tally:
    """Search everything outside the workspace after all scenarios, for data of several seeds."""
    tally = Tally()
    for seed in seeds or [secrets.randbits(32) for _ in range(times)]:
        place = sing(lab.folder / f"canary-{seed}", seed)
        tally.look(place)
        found = place.leaks()
        tally.leaked += count_leaks(place)
        if found:
            tally.note += f" seed {seed}: {', '.join(found)};"
    return tally
