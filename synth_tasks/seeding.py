"""Random generators addressed by what they are for.

A generator depends on the seed and on its address alone (stage, set, variable, sweep, ...), never on
the order in which work is done: chunk size, task runner and number of workers cannot change a byte.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache

import numpy as np

SEED_BITS = 128


def generator(seed: int, *address: str | int) -> np.random.Generator:
    """Return the generator that belongs to an address.

    Parameters
    ----------
    seed : int
        Non-negative root seed.
    *address : str or int
        What the numbers are for, e.g. ``("synthesis", set_number, "hgt")``.

    Returns
    -------
    numpy.random.Generator
        Philox generator; equal for equal arguments on every machine.

    References
    ----------
    Salmon, Moraes, Dror & Shaw (2011). Parallel random numbers: as easy as 1, 2, 3. SC'11.
    """
    key = tuple(_as_word(part) for part in address)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)))


@lru_cache(maxsize=4096)
def _as_word(part: str | int) -> int:
    if isinstance(part, str):
        return int.from_bytes(hashlib.sha256(part.encode()).digest()[:8], "big")
    return int(part)


def draw_seed() -> int:
    """Draw a new secret seed of 128 bits from the operating system."""
    return secrets.randbits(SEED_BITS)
