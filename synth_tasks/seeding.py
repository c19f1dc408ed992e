"""Random generators addressed by what they are for.

A generator depends on the seed and on its address alone (stage, set, variable, sweep, ...), never on
the order in which work is done: chunk size, task runner and number of workers cannot change a byte.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache

import numpy as np

from synth_tasks.errors import SpecError

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


def parse_seed(text: str, origin: str) -> int:
    """Read a seed from a command line or an environment variable.

    Parameters
    ----------
    text : str
        A non-negative whole number.
    origin : str
        Where it came from, for the error message.

    Returns
    -------
    int
    """
    try:
        seed = int(text)
    except ValueError:
        seed = -1
    if seed < 0:
        raise SpecError(f"{origin}: the seed must be a whole number of 0 or more")
    return seed


def commitment(seed: int, salt: bytes) -> str:
    """Return a hash that lets the holder of seed and salt prove later which seed was used.

    Publishing the seed would let anyone who guesses the data test the guess; the salted hash does not.
    """
    return hashlib.sha256(salt + str(seed).encode()).hexdigest()
