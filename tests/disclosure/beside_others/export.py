"""Write syntheses of people, and our disclosure figures of them, for other packages to measure.

python -m tests.disclosure.beside_others.export FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from synth_tasks.data import decode
from synth_tasks.disclosure import assess_disclosure, assess_excess, cross_fit
from synth_tasks.ledger import make_ledger
from synth_tasks.seeding import generator
from tests.disclosure.leaks import (
    KEYS,
    TARGETS,
    as_callable,
    draw_people,
    schema_of_people,
    syntheses,
)

NAMES = ("other people", "cart", "cart, small leaves", "cart, 10 % copies", "bootstrap")
SEED, N = 1, 6000


def main(folder: Path) -> None:
    """Write the half that was learnt from, the other one, a set, and the ledger of each synthesis."""
    people, schema = draw_people(N, np.random.default_rng(SEED)), schema_of_people()
    for number, name in enumerate(NAMES):
        cross = cross_fit(people, schema, as_callable(syntheses()[name], SEED), SEED, "test")
        trained = decode(cross.real[cross.in_first], schema)
        held_out = decode(cross.real[~cross.in_first], schema)
        synthetic = decode(cross.sets[0][0], schema)
        measured = assess_disclosure(
            trained, synthetic, schema, 1, keys=KEYS, targets=TARGETS, derived=[],
            rng=generator(SEED, "figures"), linkable=False,
        )  # fmt: skip
        measured += assess_excess(cross, keys=KEYS, targets=TARGETS, rng=generator(SEED, "excess"))
        tables = {"trained": trained, "held_out": held_out, "synthetic": synthetic}
        for table, frame in (tables | {"ledger": make_ledger(measured)}).items():
            frame.to_parquet(folder / f"{number}-{table}.parquet")
    (folder / "names.json").write_text(json.dumps([NAMES, KEYS, TARGETS]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
